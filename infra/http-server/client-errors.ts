import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../schemas/error-codes.ts';
import { problemMediaType, toProblem } from './problem.ts';
import { newTraceId } from './trace-id.ts';

/** The response in flight, as Node's own handler looks at it: one whose head was sent would be corrupted by a second. */
type HttpSocket = Socket & { readonly _httpMessage?: { readonly headersSent: boolean } | null };

/**
 * Answers what the parser refused before a request existed: bad framing 400, slow 408, large headers 431. The
 * connection is closed, since nobody knows where the next request would begin.
 */
export function answerClientError(error: { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || (socket as HttpSocket)._httpMessage?.headersSent === true) {
    socket.destroy();
    return;
  }
  answerRefused(socket, codeOf(error.code));
}

/** Answers with a problem, past everything that answers requests, and closes the connection. */
export function answerRefused(socket: Duplex, code: ErrorCode): void {
  const problem = toProblem(code, { traceId: newTraceId() });
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.code}\r\ncontent-type: ${problemMediaType}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function codeOf(code: string | undefined): ErrorCode {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'HEADERS_TOO_LARGE';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'REQUEST_TIMEOUT';
    default:
      return 'INVALID_REQUEST';
  }
}
