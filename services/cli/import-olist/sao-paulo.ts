/**
 * The instant (ISO, UTC) of a wall clock in America/Sao_Paulo, written `2017-10-02 10:56:33`. A time that the clock
 * skipped counts on from before the gap; of a time that it showed twice, the first is taken.
 * @returns null where the text is not a time
 */
export function instantInSaoPaulo(text: string): string | null {
  const wall = wallClock(text);
  if (wall === null) return null;
  // The offset changes at most once within two days: one of these two holds.
  const before = offsetMs(wall - dayMs);
  const after = offsetMs(wall + dayMs);
  const instants = [wall - before, wall - after].filter((instant) => instant + offsetMs(instant) === wall);
  return new Date(Math.min(...(instants.length > 0 ? instants : [wall - before]))).toISOString();
}

const dayMs = 86_400_000;

function wallClock(text: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(text)) return null;
  const iso = `${text.replace(' ', 'T')}.000Z`;
  const time = Date.parse(iso);
  // 31 February is not a time, though Date would roll it over.
  return Number.isNaN(time) || new Date(time).toISOString() !== iso ? null : time;
}

const saoPaulo = new Intl.DateTimeFormat('en-US', { timeZone: 'America/Sao_Paulo', timeZoneName: 'longOffset' });

function offsetMs(instant: number): number {
  const name = saoPaulo.formatToParts(instant).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign = '+', hours = 0, minutes = 0] = /GMT([+-])(\d{2}):(\d{2})/.exec(name) ?? [];
  const size = Number(hours) * 3_600_000 + Number(minutes) * 60_000;
  return sign === '-' ? -size : size;
}
