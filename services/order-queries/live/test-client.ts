import { connect, type Socket } from 'node:net';

export type Message = { readonly id: string; readonly event: string; readonly data: Record<string, unknown> };

/** What a browser's EventSource does, by fetch: for tests that cut and resume. */
export type LiveClient = {
  readonly status: number;
  readonly headers: Headers;
  readonly messages: readonly Message[];
  readonly comments: () => number;
  /** Milliseconds, as `retry:` said. */
  readonly retryMs: () => number | null;
  /** Resolves when the server ended the stream (true) or cut it (false). */
  readonly ended: Promise<boolean>;
  leave(): void;
};

export async function openLiveClient(url: string, headers: Readonly<Record<string, string>> = {}): Promise<LiveClient> {
  const left = new AbortController();
  const response = await fetch(url, { headers, signal: left.signal });
  const messages: Message[] = [];
  let comments = 0;
  let retryMs: number | null = null;
  const read = async (): Promise<boolean> => {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        text += decoder.decode(chunk, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          if (block.startsWith(':')) comments += 1;
          else if (block.startsWith('retry: ')) retryMs = Number(block.slice(7));
          else messages.push(toMessage(block));
        }
      }
      return true;
    } catch {
      return false;
    }
  };
  return {
    status: response.status,
    headers: response.headers,
    messages,
    comments: () => comments,
    retryMs: () => retryMs,
    ended: read(),
    leave: () => left.abort(),
  };
}

function toMessage(block: string): Message {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  const data = JSON.parse(fields.get('data') ?? '') as Record<string, unknown>;
  return { id: fields.get('id') ?? '', event: fields.get('event') ?? '', data };
}

/** A client that asks and then reads nothing at all: its socket is paused. */
export async function openDeafClient(
  url: string,
): Promise<{ readonly socket: Socket; readonly closed: Promise<void> }> {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.pause();
  // A reset is how a cut looks from here.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
  return { socket, closed };
}
