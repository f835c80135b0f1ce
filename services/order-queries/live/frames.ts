import type { RecordedEvent } from '../../../schemas/envelope.ts';

/** An event that happened while somebody listens; its frame is made once for all who hear it. */
export type LiveEvent = { readonly event: RecordedEvent; frame(): Buffer };

export function liveEvent(event: RecordedEvent): LiveEvent {
  let made: Buffer | undefined;
  return { event, frame: () => (made ??= frameOf(event)) };
}

/** One message of an event stream (WHATWG HTML, "Server-sent events"). JSON has no line break, so data is one line. */
export function frameOf(event: RecordedEvent): Buffer {
  return Buffer.from(`id: ${event.position}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

export function retryFrame(retryMs: number): Buffer {
  return Buffer.from(`retry: ${retryMs}\n\n`);
}

/** A comment: nothing to a client, a sign of life to all between. */
export const heartbeatFrame: Buffer = Buffer.from(': still here\n\n');

/** What one write carries at least, where there is so much: fewer writes for many small events. */
export const chunkBytes = 64 * 1024;

/** Frames joined to chunks of about `chunkBytes`, each made when it is asked for. */
export function* inChunks(frames: Iterable<Buffer>): Generator<Buffer> {
  let chunk: Buffer[] = [];
  let bytes = 0;
  for (const frame of frames) {
    chunk.push(frame);
    bytes += frame.length;
    if (bytes < chunkBytes) continue;
    yield Buffer.concat(chunk);
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield Buffer.concat(chunk);
}
