import { readFileSync } from 'node:fs';

import { percentile } from './percentiles.ts';
import type { SupervisedRole } from './supervised-role.ts';

/** The memory of one process, from its start to its end. */
export type Life = { readonly role: string; readonly pid: number; readonly samples: readonly Sample[] };
/** Seconds since the first sample of the run; resident kB. */
export type Sample = { readonly atSeconds: number; readonly kB: number };

export type RssWatch = { readonly lives: () => readonly Life[]; readonly stop: () => void };

const everyMs = 1_000;

/** Samples the resident memory of each role's process once a second; a restarted process begins a new life. */
export function watchRss(roles: readonly SupervisedRole[]): RssWatch {
  const lives = new Map<number, { role: string; pid: number; samples: Sample[] }>();
  const beganAt = performance.now();
  const sample = (): void => {
    for (const { role, current } of roles) {
      const pid = current()?.pid ?? 0;
      const kB = residentKb(pid);
      if (kB === null) continue;
      const life = lives.get(pid) ?? { role, pid, samples: [] };
      lives.set(pid, life);
      life.samples.push({ atSeconds: (performance.now() - beganAt) / 1_000, kB });
    }
  };
  const timer = setInterval(sample, everyMs);
  return { lives: () => [...lives.values()], stop: () => clearInterval(timer) };
}

/** null where there is no such process, or no /proc. */
function residentKb(pid: number): number | null {
  try {
    const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found === null ? null : Number(found[1]);
  } catch {
    return null;
  }
}

export type RssReport = {
  readonly lines: readonly string[];
  /** A sentence for each life that is not flat. */
  readonly problems: readonly string[];
  readonly judged: number;
};

/** Shorter lives are mostly the warming up of a process: caches that fill to their bound, code that is compiled. */
export const judgedFromSeconds = 60;
export const growthMax = 0.2;

export const rssRule = `flat: over the second half of a life of at least ${judgedFromSeconds} s, the slope times its length is at most ${growthMax * 100} % of the median`;

export function judgeRss(lives: readonly Life[]): RssReport {
  const judged = lives.map((life) => ({ life, ...growthOf(life) }));
  return {
    lines: [
      'role            pid      life  first MB  median  max   last  slope MB/min  growth',
      ...judged.map(({ life, ...growth }) => toLine(life, growth)),
    ],
    problems: judged.flatMap(({ life, growth }) =>
      growth === null || growth <= growthMax
        ? []
        : [`the memory of ${life.role} ${life.pid} grew by ${percent(growth)} over the second half of its life`],
    ),
    judged: judged.filter(({ growth }) => growth !== null).length,
  };
}

/** `growth` null: too short a life to judge. */
type Growth = { readonly kBPerSecond: number; readonly growth: number | null };

function growthOf({ samples }: Life): Growth {
  const half = samples.slice(Math.floor(samples.length / 2));
  const seconds = (half.at(-1)?.atSeconds ?? 0) - (half[0]?.atSeconds ?? 0);
  const kBPerSecond = slopeOf(half);
  const life = (samples.at(-1)?.atSeconds ?? 0) - (samples[0]?.atSeconds ?? 0);
  const median = percentile(half.map(({ kB }) => kB), 0.5); // prettier-ignore
  return { kBPerSecond, growth: life < judgedFromSeconds ? null : (kBPerSecond * seconds) / median };
}

/** Least squares. */
export function slopeOf(samples: readonly Sample[]): number {
  const meanAt = mean(samples.map(({ atSeconds }) => atSeconds));
  const meanKb = mean(samples.map(({ kB }) => kB));
  const spread = samples.reduce((sum, { atSeconds }) => sum + (atSeconds - meanAt) ** 2, 0);
  const both = samples.reduce((sum, { atSeconds, kB }) => sum + (atSeconds - meanAt) * (kB - meanKb), 0);
  return spread === 0 ? 0 : both / spread;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function toLine({ role, pid, samples }: Life, { kBPerSecond, growth }: Growth): string {
  const sizes = samples.map(({ kB }) => kB);
  const seconds = (samples.at(-1)?.atSeconds ?? 0) - (samples[0]?.atSeconds ?? 0);
  const figures = [sizes[0] ?? 0, percentile(sizes, 0.5), Math.max(...sizes), sizes.at(-1) ?? 0];
  return [
    role.padEnd(15),
    String(pid).padEnd(7),
    `${Math.round(seconds)} s`.padStart(6),
    ...figures.map((kB) => String(Math.round(kB / 1_024)).padStart(7)),
    ((kBPerSecond * 60) / 1_024).toFixed(1).padStart(9),
    (growth === null ? 'short' : percent(growth)).padStart(10),
  ].join(' ');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
