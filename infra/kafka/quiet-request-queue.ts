import { createRequire } from 'node:module';

type RequestQueue = { readonly pending: readonly unknown[] };
type Prototype = { scheduleCheckPendingRequests: (this: RequestQueue) => void };

/**
 * kafkajs 2.2.4 looks after requests that wait for their turn by a timer, and sets it anew also where none waits: once a
 * millisecond for each connection, for ever, with a delay below zero, of which Node warns (tulios/kafkajs#1704, #1751).
 * Measured: an idle consumer takes 50 ms of CPU a second with it, 8 without. Here it is set where something waits; what
 * comes to wait later sets it itself.
 */
export function quietRequestQueue(): void {
  const load = createRequire(import.meta.url);
  const { prototype } = load('kafkajs/src/network/requestQueue/index.js') as { readonly prototype: Prototype };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleWhereSomethingWaits(): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
