import { rm } from 'node:fs/promises';

import { endLeftServer, type ChildServer } from './child-server.ts';
import { claimDataDir, type DataDirClaim } from './data-dir.ts';
import { freePort } from './free-port.ts';
import { temporaryFolder } from './left-folders.ts';

/** A server of our own on loopback that can be killed and started again, where its clients know it. */
export type OwnServer = {
  readonly port: number;
  pid(): number;
  /** Resolves with how the one that runs now ended, whoever ended it. */
  exited(): Promise<string>;
  /** SIGKILL, as a crash would; resolves when it is gone. */
  kill(): Promise<void>;
  /** After an end: on the same port and folder. Resolves when it serves. */
  startAgain(): Promise<void>;
  /** Ends it for good, and removes its folder where that is a temporary one. Repeatable. */
  stop(): Promise<void>;
};

export type Place = {
  /** Claimed: where it keeps what it keeps. */
  readonly folder: string;
  readonly port: number;
};

export type OwnServerOptions = {
  /** Begins the names of temporary folders, as `order-center-kafka-`. */
  readonly prefix: string;
  /** A temporary one if undefined. */
  readonly folder: string | undefined;
  /** A free one if undefined. */
  readonly port: number | undefined;
  /** Resolves when the server serves; rejects with why it does not, and has ended it then. */
  readonly launch: (place: Place) => Promise<ChildServer>;
};

// A port that was free a moment ago may be taken by now.
const startsMax = 3;

/**
 * Claims the folder, ends the server that a killed owner left behind there, and launches one.
 * @throws OperationalFailure DATA_DIR_IN_USE for the folder; what the launch rejects with
 */
export async function openOwnServer({ prefix, folder, port, launch }: OwnServerOptions): Promise<OwnServer> {
  const claim = await claimDataDir(folder ?? (await temporaryFolder(prefix)));
  const close = (): Promise<void> => left(claim, folder === undefined);
  try {
    await endLeftServer(claim.dataDir);
    const { server, place } = await firstStart(claim.dataDir, port, launch);
    return running(server, { close, port: place.port, launchAgain: () => launch(place) });
  } catch (error) {
    await close();
    throw error;
  }
}

async function firstStart(folder: string, wanted: number | undefined, launch: OwnServerOptions['launch']) {
  for (let attempt = 1; ; attempt += 1) {
    const place = { folder, port: wanted ?? (await freePort()) };
    try {
      return { server: await launch(place), place };
    } catch (error) {
      if (wanted !== undefined || attempt >= startsMax) throw error;
    }
  }
}

type Kept = {
  readonly port: number;
  readonly launchAgain: () => Promise<ChildServer>;
  readonly close: () => Promise<void>;
};

function running(first: ChildServer, { port, launchAgain, close }: Kept): OwnServer {
  let server = first;
  return {
    port,
    pid: () => server.pid,
    exited: () => server.exited,
    kill: () => server.end('SIGKILL'),
    startAgain: async () => {
      server = await launchAgain();
    },
    stop: async () => {
      await server.end('SIGTERM');
      await close();
    },
  };
}

async function left(claim: DataDirClaim, isTemporary: boolean): Promise<void> {
  await claim.release();
  if (isTemporary) await rm(claim.dataDir, { recursive: true, force: true, maxRetries: 5 });
}
