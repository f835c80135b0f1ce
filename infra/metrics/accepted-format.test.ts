import { expect, it } from 'vitest';
import { formatFor } from './accepted-format.ts';

const prometheus2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';

it.each([
  ['no header', undefined, 'openmetrics'],
  ['anything', '*/*', 'openmetrics'],
  ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'openmetrics'],
  ['Prometheus 2', prometheus2, 'openmetrics'],
  ['Prometheus 3', prometheus3, 'openmetrics'],
  ['Prometheus with OpenMetrics off', 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'prometheus'],
  ['plain text', 'text/plain', 'prometheus'],
  ['plain text in capitals', 'Text/Plain; Q=0.9', 'prometheus'],
  ['any text', 'text/*', 'prometheus'],
  ['plain text rather than OpenMetrics', 'application/openmetrics-text;q=0.2, text/plain', 'prometheus'],
  ['anything but OpenMetrics', 'application/openmetrics-text;q=0, */*', 'prometheus'],
  ['both the same', 'text/plain, application/openmetrics-text', 'openmetrics'],
  ['neither', 'application/json', 'openmetrics'],
  ['a quality that is none', 'text/plain;q=high', 'openmetrics'],
  ['nothing', '', 'openmetrics'],
])('answers who asks for %s in the format that it reads', (_who, accept, format) => {
  expect(formatFor(accept)).toBe(format);
});
