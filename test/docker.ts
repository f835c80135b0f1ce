import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { within } from '../infra/within.ts';

const answerMaxMs = 5_000;

let asked: Promise<boolean> | undefined;

/** Whether a Docker engine answers, so that testcontainers can be used; a client without an engine is none. Asked once. */
export function dockerRuns(): Promise<boolean> {
  return (asked ??= ask());
}

async function ask(): Promise<boolean> {
  const { DOCKER_HOST: host = '', XDG_RUNTIME_DIR: runtime = '/run' } = process.env;
  const sockets = ['/var/run/docker.sock', join(runtime, 'docker.sock'), join(homedir(), '.docker/run/docker.sock')];
  // Loading testcontainers takes a second, which a machine without any socket need not wait.
  if (host === '' && !sockets.some((socket) => existsSync(socket))) return false;
  const { getContainerRuntimeClient } = await import('testcontainers');
  const client = await within(answerMaxMs, getContainerRuntimeClient()).catch(() => null);
  return client !== null;
}
