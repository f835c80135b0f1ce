/** The last moment that Postgres and ISO 8601 with four digits of a year can both write. */
const lastMs = Date.UTC(9999, 11, 31);

type Scheduled = { readonly recordedAt: string; readonly data: { readonly delayMs: number } };

/** Due = recorded time + delay, by the store's clock: no host's clock moves a timer. */
export function dueAt({ recordedAt, data }: Scheduled): string {
  return new Date(Math.min(Date.parse(recordedAt) + data.delayMs, lastMs)).toISOString();
}
