import type { ApiDescription } from '../http-server/openapi.ts';
import type { View } from '../read-store/port.ts';
import type { ProcessContext } from './open-process.ts';
import type { Part } from './part.ts';
import type { Role } from './run-process.ts';
import { openStores, sharedStoreUrls, type Stores } from './stores.ts';

export type Alone<Name extends keyof Stores> = {
  readonly name: string;
  readonly api: ApiDescription;
  /** What it uses, in the order in which it is opened. */
  readonly stores: readonly Name[];
  /** What is prepared in the read store, for a role that uses it. */
  readonly views?: readonly View[];
  readonly wire: (wiring: ProcessContext & Pick<Stores, Name>, opening: AsyncDisposableStack) => Part | Promise<Part>;
};

/**
 * A role that has a process to itself and meets the others in their stores. Opening it:
 * @throws OperationalFailure INVALID_CONFIGURATION for stores that no other process can reach, and what `openStores` says
 */
export function alone<Name extends keyof Stores>({ name, api, stores, views = [], wire }: Alone<Name>): Role {
  return {
    name,
    open: async (context, opening) => {
      const source = { urls: sharedStoreUrls(context.config), views, metrics: context.metrics };
      const part = await wire({ ...context, ...(await openStores(source, stores, opening)) }, opening);
      const onReady = (url: string): void => {
        process.stdout.write(`order-center: ${name} is ready at ${url}\n`);
      };
      return { api, parts: [part], onReady };
    },
  };
}
