import { OperationalFailure } from '../../failures.ts';
import type { SchemaRegistry } from '../port.ts';

const timeoutMs = 3_000;
/** A schema is some kilobytes. */
const answerBytesMax = 1_024 * 1_024;
const contentType = 'application/vnd.schemaregistry.v1+json';
/** Confluent's own codes: 40401 a subject, 40402 a version, 40403 a schema is not there. */
const schemaNotFound = 40_403;

type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };
type Request = { readonly path: string; readonly body?: object };

/**
 * Confluent's REST API, as Confluent, Karapace and Apicurio (`/apis/ccompat/v7`) speak it. Only its own answer that a
 * schema is not there means so: a 404 of a wrong address does not.
 * @param url where the API begins; user and password in it are sent as Basic authorization
 */
export function httpSchemaRegistry(url: string): SchemaRegistry {
  const { base, headers } = addressOf(url);
  const ask = (request: Request): Promise<Answer> => send(base, headers, request);
  return {
    register: async (subject, schema) => {
      const body = { schema: JSON.stringify(schema), schemaType: 'AVRO' };
      const answer = await ask({ path: `/subjects/${encodeURIComponent(subject)}/versions`, body });
      if (answer.status === 409 || answer.status === 422) {
        const detail = `${subject}: status ${answer.status}`;
        throw new OperationalFailure('SCHEMA_REFUSED', detail, { retryable: false });
      }
      const { id } = answer.body;
      if (answer.status !== 200 || !Number.isSafeInteger(id)) throw unavailable(`registering ${subject}`, answer);
      return Number(id);
    },
    schemaOf: async (id) => {
      const answer = await ask({ path: `/schemas/ids/${id}` });
      const { schema, schemaType = 'AVRO', error_code: code } = answer.body;
      if (answer.status === 404 && code === schemaNotFound) return null;
      if (answer.status !== 200 || typeof schema !== 'string') throw unavailable(`schema ${id}`, answer);
      return schemaType === 'AVRO' ? schema : null;
    },
    ping: async () => {
      const answer = await ask({ path: '/subjects' });
      if (answer.status !== 200) throw unavailable('subjects', answer);
    },
  };
}

type Address = { readonly base: string; readonly headers: Readonly<Record<string, string>> };

function addressOf(text: string): Address {
  const url = new URL(text);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const base = url.href.replace(/\/+$/, '');
  if (username === '') return { base, headers: {} };
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { base, headers: { authorization: `Basic ${credentials.toString('base64')}` } };
}

async function send(base: string, headers: Address['headers'], { path, body }: Request): Promise<Answer> {
  try {
    const response = await fetch(`${base}${path}`, {
      headers: { ...headers, accept: contentType, ...(body && { 'content-type': contentType }) },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, body: objectOf(await textOf(response)) };
  } catch (cause) {
    throw new OperationalFailure('SCHEMA_REGISTRY_UNAVAILABLE', 'no answer', { retryable: true, cause });
  }
}

/** Read piece by piece: an answer that never ends is none. */
async function textOf(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > answerBytesMax) throw new Error('the answer is too large');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** What is no JSON object has none of the fields that an answer is known by; a list of subjects is one too. */
function objectOf(text: string): Answer['body'] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Answer['body']) : {};
  } catch {
    return {};
  }
}

function unavailable(what: string, { status }: Answer): OperationalFailure {
  return new OperationalFailure('SCHEMA_REGISTRY_UNAVAILABLE', `${what}: status ${status}`, { retryable: true });
}
