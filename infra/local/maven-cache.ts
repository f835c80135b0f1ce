import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

import { isOperationalFailure } from '../failures.ts';
import { claimDataDir, type DataDirClaim } from './data-dir.ts';
import { findProgram } from './find-program.ts';

/** What Maven can bring: the dependencies of a pom beside this file, whose `${fetched.version}` is `version`. */
export type MavenArtifacts = {
  /** As in `kafka-4.1.0`, the folder of the cache. */
  readonly name: string;
  readonly version: string;
  readonly pom: string;
  /** Jars are copied as they are, archives are unpacked. */
  readonly goal: 'copy-dependencies' | 'unpack-dependencies';
  /** For people: how much is fetched. */
  readonly size: string;
};

const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
const fetchMaxMs = 10 * 60_000;
const otherFetchPollMs = 500;

/** Why the artifacts cannot be had; null: they are in the cache, or Maven can fetch them. */
export async function artifactsMissing(artifacts: MavenArtifacts): Promise<string | null> {
  if (existsSync(folderOf(artifacts)) || (await findProgram('mvn')) !== null) return null;
  return `${artifacts.name} ${artifacts.version} was never fetched, and there is no Maven (mvn) on PATH to fetch it`;
}

/**
 * Fetches what is not in the user's cache (XDG_CACHE_HOME, else ~/.cache), once: processes that want it at the same
 * time wait for the one that fetches, and follow it when it dies. What is there is whole: it appears by one rename.
 * @returns the folder that holds the files
 */
export async function fetchArtifacts(artifacts: MavenArtifacts, say: (line: string) => void): Promise<string> {
  const folder = folderOf(artifacts);
  if (existsSync(folder)) return folder;
  const claim = await claimCache(cacheOf(artifacts), say);
  try {
    if (!existsSync(folder)) await fetchInto(folder, artifacts, say);
    return folder;
  } finally {
    await claim.release();
  }
}

function cacheOf({ name, version }: MavenArtifacts): string {
  const { XDG_CACHE_HOME: cache = '' } = process.env;
  return join(cache === '' ? join(homedir(), '.cache') : cache, 'order-center', `${name}-${version}`);
}

function folderOf(artifacts: MavenArtifacts): string {
  return join(cacheOf(artifacts), 'files');
}

/** One process fetches at a time: Maven's own cache is not made for two. */
async function claimCache(cache: string, say: (line: string) => void): Promise<DataDirClaim> {
  await mkdir(cache, { recursive: true });
  const deadline = performance.now() + fetchMaxMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await claimDataDir(cache);
    } catch (error) {
      if (!isOperationalFailure(error, 'DATA_DIR_IN_USE') || performance.now() > deadline) throw error;
      if (attempt === 1) say(`another process fetches into ${cache}: waiting for it`);
      await pause(otherFetchPollMs);
    }
  }
}

async function fetchInto(folder: string, artifacts: MavenArtifacts, say: (line: string) => void): Promise<void> {
  const { name, version, pom, goal, size } = artifacts;
  const maven = await findProgram('mvn');
  if (maven === null) throw new Error((await artifactsMissing(artifacts)) ?? '');
  say(`fetching ${name} ${version} (${size}) by Maven into ${folder}`);
  const draft = `${folder}-${randomUUID()}`;
  const args = ['-q', '-B', '-f', join(import.meta.dirname, pom), `${plugin}:${goal}`, '-DincludeScope=runtime'];
  try {
    const begun = performance.now();
    // The marks of what was unpacked would otherwise go beside the pom, into the repository.
    const places = [`-DoutputDirectory=${join(draft, 'files')}`, `-DmarkersDirectory=${join(draft, 'marks')}`];
    await promisify(execFile)(maven, [...args, `-Dfetched.version=${version}`, ...places], {
      timeout: fetchMaxMs,
      killSignal: 'SIGKILL',
    });
    await rename(join(draft, 'files'), folder);
    say(`fetched ${name} ${version} in ${Math.round((performance.now() - begun) / 1000)} s`);
  } catch (error) {
    throw new Error(`${name} ${version} could not be fetched: ${lastLines(error)}`, { cause: error });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function lastLines(error: unknown): string {
  const { stdout = '', message } = error as Error & { readonly stdout?: string };
  const lines = stdout.split('\n').filter((line) => line.includes('ERROR'));
  return lines.slice(0, 3).join(' ') || message;
}
