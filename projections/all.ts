import { dailySales } from './daily-sales/projection.ts';
import { openSagas } from './open-sagas/projection.ts';
import { orderSummary } from './order-summary/projection.ts';
import { orderTimeline } from './order-timeline/projection.ts';
import type { Projection } from './projection.ts';
import { sagaTimers } from './saga-timers/projection.ts';

/** Every read model, once: the projector, the rebuild and the generic suites walk this list. */
export const projections: readonly Projection[] = [orderSummary, orderTimeline, dailySales, openSagas, sagaTimers];

/** What a read store prepares. */
export const views = projections.map(({ view }) => view);
