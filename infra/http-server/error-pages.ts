import { errorCodes, errorRow, type ErrorCode } from '../../schemas/error-codes.ts';
import { toProblem, type Problem } from './problem.ts';

/** One row of the table of codes, as programs read it. */
export type ErrorEntry = {
  readonly code: ErrorCode;
  /** The `type` of its problems: where this page is. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What to do. */
  readonly help: string;
  /** Whether it is its command's answer for ever. */
  readonly durable: boolean;
  readonly example: Problem;
};

export const codes: readonly ErrorCode[] = Object.keys(errorCodes) as ErrorCode[];

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}

export function errorEntry(code: ErrorCode): ErrorEntry {
  const { title, status, help, durable = false } = errorRow(code);
  const example = toProblem(code, { instance: '/v1/orders', traceId: '4bf92f3577b34da6a3ce929d0e0e4736' });
  return { code, type: `/docs/errors/${code}`, title, status, help, durable, example };
}

/** The page that a problem's `type` leads to. */
export function errorPage({ code, title, status, help, durable, example }: ErrorEntry): string {
  const lasts = durable
    ? 'This refusal is the answer to its command for ever: the same Idempotency-Key gets it again. Decide anew under a new key.'
    : 'Nothing keeps this answer: the same request may get another one later.';
  return page(
    code,
    `<p><a href="/docs/errors">All errors</a></p>
<h1>${escapeHtml(title)}</h1>
<p><code>${escapeHtml(code)}</code>, HTTP status ${status}</p>
<h2>What to do</h2>
<p>${escapeHtml(help)}</p>
<h2>How long it lasts</h2>
<p>${escapeHtml(lasts)}</p>
<h2>How it looks</h2>
<pre>HTTP/1.1 ${status}
content-type: application/problem+json

${escapeHtml(JSON.stringify(example, null, 2))}</pre>`,
  );
}

export function errorList(): string {
  const rows = codes.map((code) => {
    const { type, title, status, help, durable } = errorEntry(code);
    const link = `<a href="${escapeHtml(type)}"><code>${escapeHtml(code)}</code></a>`;
    const cells = [link, String(status), escapeHtml(title), escapeHtml(help), durable ? 'yes' : ''];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return page(
    'Errors',
    `<p><a href="/docs">The API</a></p>
<h1>Errors</h1>
<p>An error is an RFC 9457 problem whose <code>type</code> leads here. Programs branch on <code>code</code>.</p>
<table>
<thead><tr><th>code</th><th>status</th><th>means</th><th>what to do</th><th>durable</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`,
  );
}

function page(title: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} - order-center</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; }
pre { background: #f4f4f4; padding: 1em; overflow-x: auto; }
td, th { text-align: left; vertical-align: top; padding: .3em 1em .3em 0; border-bottom: 1px solid #ddd; }
</style>
</head>
<body>
${body}
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Texts of the table are ours, yet one of them may speak of `<version>`. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
