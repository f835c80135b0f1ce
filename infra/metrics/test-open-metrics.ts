/** A reader of the OpenMetrics 1.0 text format for tests: strict where Prometheus' own parser is lenient. */
export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar: Readonly<Record<string, string>> | null;
};
export type Family = {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
};

const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
};

const label = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"`;
const labels = String.raw`\{(?:${label}(?:,${label})*)?\}`;
const number = String.raw`(?:[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN)`;
const sampleLine = new RegExp(
  String.raw`^([a-zA-Z_:][a-zA-Z0-9_:]*)(${labels})? (${number})(?: # (${labels}) ${number}(?: ${number})?)?$`,
  'i',
);

/** @throws Error naming the line that breaks the format */
export function parseOpenMetrics(text: string): readonly Family[] {
  if (!text.endsWith('\n# EOF\n')) throw new Error('the text does not end with # EOF');
  const families: (Family & { readonly samples: Sample[] })[] = [];
  for (const line of text.slice(0, -'\n# EOF\n'.length).split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    const current = families.at(-1);
    if (keyword === undefined) {
      if (current === undefined) throw new Error(`a sample without a family: ${line}`);
      current.samples.push(sampleOf(line));
    } else if (current?.name === name && current.samples.length === 0) {
      families[families.length - 1] = { ...current, ...described(keyword, rest, current) };
    } else {
      if (families.some((family) => family.name === name)) throw new Error(`${name} comes twice`);
      families.push({ name, samples: [], help: '', type: '', ...described(keyword, rest, { help: '', type: '' }) });
    }
  }
  families.forEach(checkFamily);
  return families;
}

function described(keyword: string, text: string, before: { readonly help: string; readonly type: string }) {
  const field = keyword === 'HELP' ? 'help' : 'type';
  if (before[field] !== '') throw new Error(`a second ${keyword}: ${text}`);
  return { [field]: text };
}

function sampleOf(line: string): Sample {
  const match = sampleLine.exec(line);
  if (match === null) throw new Error(`no sample: ${line}`);
  const [, name = '', of = '{}', value = '', exemplar] = match;
  if (exemplar !== undefined && exemplar.length > 128) throw new Error(`an exemplar of more than 128: ${line}`);
  return {
    name,
    labels: labelsOf(of),
    value: Number(value),
    exemplar: exemplar === undefined ? null : labelsOf(exemplar),
  };
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);
  const found = Object.fromEntries(pairs) as Record<string, string>;
  if (Object.keys(found).length !== pairs.length) throw new Error(`a label comes twice: ${text}`);
  return found;
}

function checkFamily({ name, type, help, samples }: Family): void {
  const allowed = suffixes[type];
  if (allowed === undefined) throw new Error(`${name} is of type ${type}`);
  if (help === '') throw new Error(`${name} has no help`);
  if (name.endsWith('_total')) throw new Error(`${name}: the family of a counter is named without _total`);
  const seen = new Set<string>();
  for (const sample of samples) {
    if (!allowed.some((suffix) => sample.name === name + suffix)) throw new Error(`${sample.name} in ${name}`);
    const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(key)) throw new Error(`${key} comes twice`);
    seen.add(key);
    if (sample.exemplar !== null && !/_(bucket|total)$/.test(sample.name)) throw new Error(`an exemplar of ${key}`);
    if (type === 'counter' && !(sample.value >= 0)) throw new Error(`${key} is ${sample.value}`);
  }
  if (type === 'histogram') checkBuckets(name, samples);
}

function checkBuckets(name: string, samples: readonly Sample[]): void {
  const withoutBound = ({ labels: { le: _, ...rest } }: Sample): string => JSON.stringify(Object.entries(rest).sort());
  for (const [series, group] of Map.groupBy(samples, withoutBound)) {
    const counts = group.filter((sample) => sample.name === `${name}_bucket`).map(({ value }) => value);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const grows = counts.every((value, index) => value >= (counts[index - 1] ?? 0));
    if (!grows || counts.at(-1) !== count) throw new Error(`the buckets of ${name}${series} do not add up`);
  }
}
