import { main } from '../../infra/process/run-process.ts';
import { allInOne } from './start.ts';

await main(allInOne);
