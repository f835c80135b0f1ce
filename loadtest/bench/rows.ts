import { appendRow } from './append/row.ts';
import { feedRow } from './feed/row.ts';
import { httpRow } from './http/row.ts';
import { kafkaViewsRow } from './kafka-views/row.ts';
import { peersRow } from './peers/row.ts';
import { readsRow } from './reads/row.ts';
import { relayRow } from './relay/row.ts';
import type { BenchRow } from './row.ts';
import { startRow } from './start/row.ts';
import { visibleRow } from './visible/row.ts';

/** All that the bench measures, in the order it measures it. */
export const rows: readonly BenchRow[] = [
  appendRow({ name: 'append-64', outstanding: 64, aim: 0.35 }),
  appendRow({ name: 'append-1024', outstanding: 1_024, aim: 0.6 }),
  peersRow,
  httpRow,
  feedRow,
  visibleRow,
  relayRow,
  kafkaViewsRow,
  readsRow,
  startRow,
];
