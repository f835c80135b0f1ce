import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a backend gives to tests, and how it is closed. */
export type OpenedBackend = { readonly address: string; readonly close: () => Promise<void> };

/** Where a backend of the run can come from. */
export type BackendSource = {
  /** Why there is none; null: `open` gives one. */
  readonly missing: string | null;
  readonly open: () => Promise<OpenedBackend>;
};

/** A backend that starts when the first test asks for it, through a door on loopback that every test process reaches. */
export type LazyBackend = { readonly door: string; close(): Promise<void> };

export async function lazyBackend(open: () => Promise<OpenedBackend>): Promise<LazyBackend> {
  let opening: Promise<OpenedBackend> | undefined;
  const server = createServer((_, response) => {
    opening ??= open();
    opening.then(
      ({ address }) => response.end(address),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    door: `http://127.0.0.1:${port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      // One that did not start has nothing to close, and told its tests why.
      await opening?.then(
        (opened) => opened.close(),
        () => undefined,
      );
    },
  };
}

/** One that the environment names. It is not ours to close. */
export function namedBackend(address: string): BackendSource {
  return { missing: null, open: () => Promise.resolve({ address, close: () => Promise.resolve() }) };
}

/** As long as a machine may take that fetches the server first. */
export const firstStartMaxMs = 12 * 60_000;

/** @throws Error why the backend does not start */
export async function askBackend(door: string): Promise<string> {
  const answer = await fetch(door, { signal: AbortSignal.timeout(firstStartMaxMs) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}
