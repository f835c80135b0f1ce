/** A mistake that somebody could make, as a patch, and the one test that must see it. */
export type PlantedBug = {
  /** Its patch is `patches/<name>.patch`. */
  readonly name: string;
  /** What the patched code does wrong. */
  readonly sentence: string;
  readonly caughtBy: {
    /** From the root of the repository. */
    readonly file: string;
    /** The titles of its suites and its own, joined by ` > `, exactly as they run. */
    readonly test: string;
  };
};

const eventStore = 'infra/event-store/postgres.test.ts';
const transact = 'infra/event-store/transact.test.ts';
const readStore = 'infra/read-store/read-store.test.ts';
const parking = 'services/projector/parking.test.ts';
const driver = 'services/fulfillment/driver.test.ts';
const saga = 'services/fulfillment/saga.test.ts';

/** In the order of an order's life: the log, the command, the views, the saga. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'naive-reader',
    sentence: 'A reader of the log takes everything that is committed so far, and so skips what commits late.',
    caughtBy: {
      file: eventStore,
      test: 'a real Postgres > the global order on Postgres > does not skip an append that took its transaction id early and commits late',
    },
  },
  {
    name: 'append-in-a-transaction',
    sentence: 'A lane appends whatever comes in inside one open transaction, whose id is older than what was read.',
    caughtBy: {
      file: 'infra/event-store/postgres/append-order.test.ts',
      test: 'an append on Postgres > comes after everything on the log that it was decided on, however long its lane was held up',
    },
  },
  {
    name: 'no-predecessor-guard',
    sentence: 'An append takes any revision, also one whose predecessor does not exist.',
    caughtBy: {
      file: eventStore,
      test: 'a real Postgres > event store on Postgres > append > answers an expected revision that is too new as stale, so that no gap comes into a stream',
    },
  },
  {
    name: 'checkpoint-outside-the-transaction',
    sentence: 'The checkpoint of a batch is committed by itself, before the rows of the batch.',
    caughtBy: {
      file: readStore,
      test: 'on Postgres > read store: postgres > leaves neither rows nor progress nor checkpoint of a batch that fails in the middle',
    },
  },
  {
    name: 'stale-rejection-made-durable',
    sentence: 'An answer without events is stored though the stream moved since it was decided.',
    caughtBy: {
      file: transact,
      test: 'transact on postgres > never makes a rejection durable that a stale cache decided',
    },
  },
  {
    name: 'no-command-guard',
    sentence: 'A command that was refused for good is sent again and appends.',
    caughtBy: {
      file: eventStore,
      test: 'a real Postgres > event store on Postgres > an answer without events > and an append of the same command exclude each other, whichever came first',
    },
  },
  {
    name: 'tenant-not-checked',
    sentence: 'A command of one tenant is decided on the stream of another.',
    caughtBy: {
      file: transact,
      test: "transact on memory > does not show one tenant another tenant's stream",
    },
  },
  {
    name: 'box-of-any-event',
    sentence: 'Sealed personal data can be moved to another event and still be opened.',
    caughtBy: {
      file: 'infra/subject-keys/subject-keys.test.ts',
      test: 'subject keys: memory > refuses a box that was moved to another event or changed',
    },
  },
  {
    name: 'dispatch-after-a-cancel',
    sentence: 'A cancelled order lets its dispatch begin.',
    caughtBy: {
      file: 'services/order-commands/decide.test.ts',
      test: 'beginning dispatch > is refused for an order that ended, though it was paid',
    },
  },
  {
    name: 'duplicates-applied-twice',
    sentence: 'The projector folds an event again that its view has seen.',
    caughtBy: {
      file: 'services/projector/projector.test.ts',
      test: 'projector on memory > skips what it has seen, within one run as after a restart',
    },
  },
  {
    name: 'beginning-not-guarded',
    sentence: 'A stream that is said to begin is written over what the view has of it.',
    caughtBy: {
      file: readStore,
      test: 'on Postgres > read store: postgres > commits streams that begin, and refuses whole what it has seen',
    },
  },
  {
    name: 'stream-goes-on-after-its-poison',
    sentence: 'What comes after an event that cannot be folded is folded all the same.',
    caughtBy: {
      file: parking,
      test: 'parking on memory > has, for any events, poison, batches, redeliveries, restarts and drains, the fold of what is healthy, and all of it after the fix; nothing twice',
    },
  },
  {
    name: 'mend-without-a-turn',
    sentence: 'A drain changes a view under a projector that goes on from what it remembers.',
    caughtBy: {
      file: parking,
      test: 'parking on memory > drains under a running projector, which goes on with what comes later, each event once',
    },
  },
  {
    name: 'dry-run-left-in-the-cache',
    sentence: 'A dry run leaves what it decided in the cache of folded streams.',
    caughtBy: {
      file: 'infra/event-store/preview.test.ts',
      test: 'a preview on memory > is decided on what other processes stored meanwhile, and leaves the next command nothing wrong to decide on',
    },
  },
  {
    name: 'live-update-sent-twice',
    sentence: 'An event that the store showed is sent again when the hub tells of it.',
    caughtBy: {
      file: 'services/order-queries/live/live-updates.test.ts',
      test: 'live updates on memory > gives a tenant each event once, each order in its order, over cuts, where the inbox has room',
    },
  },
  {
    name: 'attempt-with-the-amended-order',
    sentence: 'A call that may have been made is made again with what the order became since.',
    caughtBy: {
      file: 'services/fulfillment/amendment.test.ts',
      test: 'an amendment > while a step is left without an outcome by a crash does not change what that step asks again',
    },
  },
  {
    name: 'snapshot-without-version-guard',
    sentence: 'A late writer replaces a newer snapshot by an older one.',
    caughtBy: {
      file: 'infra/order-snapshots/order-snapshots.test.ts',
      test: 'order snapshots: memory > refuses what is older and says how many it refused',
    },
  },
  {
    name: 'new-effect-key-on-redrive',
    sentence:
      'A call that may have been made is made again under another key: a crash leaves a second hold on the card.',
    caughtBy: {
      file: driver,
      test: 'a crash at any point > of an order with delivered ends as if there were none, with one charge an attempt',
    },
  },
  {
    name: 'undo-in-the-order-of-the-way',
    sentence: 'What was done first is undone first.',
    caughtBy: {
      file: saga,
      test: 'the fulfillment saga turns back > cancels the order when capture is refused, then undoes in reverse order',
    },
  },
  {
    name: 'undo-that-does-nothing',
    sentence: 'The undo of the reservation says that it is done, and releases nothing.',
    caughtBy: {
      file: driver,
      test: 'a refusal > of book unwinds what was done, once, and leaves nothing held or paid',
    },
  },
  {
    name: 'timer-fires-again',
    sentence: 'A timer fires that has fired or was cancelled.',
    caughtBy: {
      file: saga,
      test: 'the fulfillment saga tries again > fires a timer only once',
    },
  },
];
