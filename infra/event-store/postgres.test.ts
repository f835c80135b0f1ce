import { describeWithPostgres } from '../../test/postgres.ts';
import { eventStoreContract } from './contract.ts';
import { openOnPostgres } from './contract/on-postgres.ts';

describeWithPostgres('a real Postgres', () => {
  eventStoreContract('Postgres', openOnPostgres);
});
