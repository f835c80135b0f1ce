export type MetricsFormat = 'openmetrics' | 'prometheus';

type Range = { readonly type: string; readonly quality: number };

/**
 * The text format that an `Accept` header prefers (RFC 9110, 12.5.1): Prometheus lists OpenMetrics first, and who can only
 * read the older format asks for `text/plain`. Without a header, where anything goes, where both are liked the same and
 * where neither is asked for it is OpenMetrics.
 */
export function formatFor(accept: string | undefined): MetricsFormat {
  const ranges = (accept ?? '*/*').split(',').map(toRange);
  const openMetrics = qualityOf(ranges, ['application/openmetrics-text', 'application/*', '*/*']);
  const plain = qualityOf(ranges, ['text/plain', 'text/*', '*/*']);
  return plain > openMetrics ? 'prometheus' : 'openmetrics';
}

function toRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  const quality = Number(given ?? 1);
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

/** The most specific range counts; of several versions of one type the one that is liked best. */
function qualityOf(ranges: readonly Range[], fromSpecific: readonly string[]): number {
  for (const type of fromSpecific) {
    const matching = ranges.filter((range) => range.type === type);
    if (matching.length > 0) return Math.max(...matching.map(({ quality }) => quality));
  }
  return 0;
}
