import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { claimDataDir, findRunning, publishRunning } from './data-dir.ts';
import { identify, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { testFolder } from './test-folders.ts';
import type { TestFolder } from './test-folders.ts';

let folder: TestFolder;
let dataDir: string;

beforeEach(async () => {
  folder = await testFolder();
  dataDir = folder.path;
});

afterEach(() => folder.remove());

describe('claimDataDir', () => {
  it('makes a missing folder, and claims it again after a release', async () => {
    const missing = join(dataDir, 'not', 'yet');
    const first = await claimDataDir(missing);
    await first.release();
    await first.release();
    const second = await claimDataDir(missing);
    expect(second.dataDir).toBe(missing);
    expect(await readdir(join(missing, 'owner'))).toHaveLength(1);
  });

  it('refuses a second claim while the first holds, and names its process', async () => {
    await claimDataDir(dataDir);
    const refusal = claimDataDir(dataDir);
    const message: unknown = expect.stringContaining(`process ${process.pid} `);
    await expect(refusal).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE', message });
  });

  it('follows an owner that was killed', async () => {
    const owner = await folder.process();
    expect(await owner.does('claim')).toMatchObject({ outcome: 'done' });
    await owner.kill();
    await expect(claimDataDir(dataDir)).resolves.toMatchObject({ dataDir });
  });

  it('follows a dead owner whose number belongs to another process by now', async () => {
    await (await claimDataDir(dataDir)).release();
    const stranger: ProcessIdentity = { pid: process.pid, started: 'an-earlier-boot:1' };
    await writeFile(join(dataDir, 'owner', '7'), JSON.stringify(stranger));
    const outcome = await claimDataDir(dataDir).then(
      () => 'claimed',
      () => 'refused',
    );
    expect(outcome).toBe(process.platform === 'linux' ? 'claimed' : 'refused');
  });

  it('follows a claim that a power cut made unreadable', async () => {
    await (await claimDataDir(dataDir)).release();
    await writeFile(join(dataDir, 'owner', '3'), Buffer.alloc(40));
    await expect(claimDataDir(dataDir)).resolves.toMatchObject({ dataDir });
  });

  it('lets exactly one of many processes follow a dead owner', async () => {
    const dead: ProcessIdentity = { pid: 2 ** 30, started: '' };
    await (await claimDataDir(dataDir)).release();
    await writeFile(join(dataDir, 'owner', '2'), JSON.stringify(dead));
    const twins = await Promise.all(Array.from({ length: 6 }, () => folder.process()));
    const answers = await Promise.all(twins.map((twin) => twin.does('claim')));
    const refused = answers.filter((answer) => answer.outcome === 'refused');
    expect(refused).toHaveLength(5);
    for (const { failure } of refused) expect(failure).toContain('DATA_DIR_IN_USE');
  });

  it('lets exactly one of many claims in one process win, however often they race', async () => {
    for (let round = 0; round < 20; round += 1) {
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => claimDataDir(dataDir)));
      const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(won).toHaveLength(1);
      await won[0]?.value.release();
    }
  });

  it('says in one sentence that the folder is a file', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    const failure = claimDataDir(file);
    const message: unknown = expect.stringContaining(file);
    await expect(failure).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE', message });
  });

  it('says that a folder cannot be made or written', async () => {
    await chmod(dataDir, 0o500);
    // Root may write anywhere but in the kernel's own folders.
    const closed = process.getuid?.() === 0 ? '/proc/order-center' : join(dataDir, 'data');
    await expect(claimDataDir(closed)).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' });
  });
});

describe('findRunning', () => {
  const urls = { http: 'http://127.0.0.1:8080' };
  const postgresUrl = 'postgres://order_center:secret@127.0.0.1:5432/order_center';

  it('finds what a living process published, in a file that only its user can read', async () => {
    const running = { pid: process.pid, urls, postgresUrl };
    await publishRunning(dataDir, running);
    expect(await findRunning(dataDir)).toEqual(running);
    expect((await stat(join(dataDir, 'running.json'))).mode & 0o777).toBe(0o600);
  });

  it('finds nothing where nothing was published or the process is dead', async () => {
    expect(await findRunning(dataDir)).toBeNull();
    const owner = await folder.process();
    await publishRunning(dataDir, { pid: owner.pid, urls, postgresUrl });
    expect(await findRunning(dataDir)).not.toBeNull();
    await owner.kill();
    expect(await findRunning(dataDir)).toBeNull();
  });
});

describe('a process identity', () => {
  it('ends with the process', async () => {
    const other = await folder.process();
    const identity = identify(other.pid) ?? { pid: 0, started: 'never' };
    expect(isRunning(identity)).toBe(true);
    await other.kill();
    expect(isRunning(identity)).toBe(false);
  });
});
