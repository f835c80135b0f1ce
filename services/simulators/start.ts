import { join } from 'node:path';
import { openFaults, type Faults } from './faults.ts';
import { openLedger, type Ledger } from './ledger.ts';
import { startServer, type ServerOptions, type Simulator } from './server.ts';
import type { SimulatorSettings } from './settings.ts';

export type StartOptions<Settings = SimulatorSettings> = {
  readonly settings: Settings;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** A free one by default. */
  readonly port?: number;
  /** Where `simulators/<file>` is kept; absent: nothing outlives the process. */
  readonly dataDir?: string;
  readonly random?: () => number;
};

/** What a simulator is made of: its ledger's file and, from its memory, the operations it serves. */
export type Kind<Entry> = {
  readonly file: string;
  readonly serve: (memory: {
    readonly faults: Faults;
    readonly entries: readonly Entry[];
    readonly record: (entry: Entry) => Promise<void>;
  }) => Pick<ServerOptions, 'operations' | 'find'>;
};

/** Starts one simulator; its answers are on disk before they are told, where there is a `dataDir`. */
export async function startSimulator<Entry>(kind: Kind<Entry>, options: StartOptions): Promise<Simulator> {
  const { host = '127.0.0.1', port = 0, dataDir } = options;
  const faults = openFaults(options.settings, options.random);
  const ledger = dataDir ? await openLedger<Entry>(join(dataDir, 'simulators', kind.file)) : forgetful<Entry>();
  const served = kind.serve({ faults, entries: ledger.entries, record: ledger.append });
  const server = await startServer({ host, port, faults, ...served }).catch(async (error: unknown) => {
    await ledger.close();
    throw error;
  });
  return {
    url: server.url,
    close: async () => {
      await server.close();
      await ledger.close();
    },
  };
}

function forgetful<Entry>(): Ledger<Entry> {
  return { entries: [], append: () => Promise.resolve(), close: () => Promise.resolve() };
}
