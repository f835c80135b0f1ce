/** Of a process of the stack: its folder under DATA_DIR, and what it is struck by. */
export type Strike = {
  readonly target: 'projector' | 'event-relay' | 'kafka';
  /** It is struck once so many of the imported orders are on the feed. */
  readonly afterOrders: number;
};

export type Scenario = {
  readonly id: string;
  readonly title: string;
  /** How the stack is started. */
  readonly args: readonly string[];
  readonly strikes: readonly Strike[];
};

/** The Olist files have 3,433 orders: every strike is sure to fall into the import. */
export const scenarios: readonly Scenario[] = [
  { id: 'import', title: 'Olist through one process per role', args: [], strikes: [] },
  {
    id: 'three-projectors',
    title: 'Olist with three projectors that share the partitions',
    args: ['--scale', 'projector=3'],
    strikes: [],
  },
  {
    id: 'killed',
    title: 'Olist while a projector, the relay and the broker are each killed -9 and started again',
    args: ['--scale', 'projector=2'],
    strikes: [
      { target: 'projector', afterOrders: 400 },
      { target: 'event-relay', afterOrders: 1_000 },
      { target: 'kafka', afterOrders: 1_600 },
    ],
  },
];
