import type { Invariant } from '../invariant.ts';
import { ackedCommands } from './i01-acked-commands.ts';
import { oneEffect } from './i02-one-effect.ts';
import { denseVersions } from './i06-dense-versions.ts';
import { orderOnTheFeed } from './i09-order-on-the-feed.ts';
import { viewsAreFolds } from './i15-views-are-folds.ts';
import { versionsNeverGoBack } from './i16-versions-never-go-back.ts';
import { progressIsTheCheckpoint } from './i18-progress-is-the-checkpoint.ts';
import { rebuildsAreEqual } from './i19-rebuilds-are-equal.ts';
import { readYourWrites } from './i20-read-your-writes.ts';
import { snapshotsEnd } from './i21-snapshots-end.ts';
import { exactMoney } from './i22-exact-money.ts';
import { moneyMoves } from './i23-money-moves.ts';
import { oneCharge } from './i24-one-charge.ts';
import { stock } from './i26-stock.ts';
import { sagaEnds } from './i28-saga-ends.ts';
import { snapshotsFollowTheLog } from './i35-snapshots-follow-the-log.ts';

/** What `order-center verify` checks, in this order. A new invariant is a file and a line here. */
export const invariants: readonly Invariant[] = [
  ackedCommands,
  oneEffect,
  denseVersions,
  orderOnTheFeed,
  viewsAreFolds,
  versionsNeverGoBack,
  progressIsTheCheckpoint,
  rebuildsAreEqual,
  readYourWrites,
  snapshotsEnd,
  exactMoney,
  moneyMoves,
  oneCharge,
  stock,
  sagaEnds,
  snapshotsFollowTheLog,
];
