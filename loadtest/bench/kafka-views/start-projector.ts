import { join } from 'node:path';

import { startChild, type Child } from '../child-process.ts';
import type { KafkaProjectorAnswer, KafkaProjectorRequest } from './projector.child.ts';

export type KafkaProjector = Child<KafkaProjectorRequest, KafkaProjectorAnswer>;

export function startProjector(execArgv: readonly string[]): KafkaProjector {
  return startChild(join(import.meta.dirname, 'projector.child.ts'), execArgv);
}
