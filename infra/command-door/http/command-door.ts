import { requestJson, unreadableAnswer } from '../../resilience/request-json.ts';
import type { CommandDoor } from '../port.ts';
import { doorPath, readDoorFailure, type DoorName } from '../wire-format.ts';

export type RemoteDoor<C, Answer> = CommandDoor<C, Answer> & {
  /** Resolves where the door of this name is there. Rejects with OperationalFailure within `pingTimeoutMs`. */
  readonly ping: () => Promise<void>;
};

export type RemoteDoorOptions<Answer> = {
  /** Of the role; its path is kept. */
  readonly url: string;
  readonly name: DoorName;
  /** null: not an answer of this door. */
  readonly read: (answer: unknown) => Answer | null;
};

/** Below the wait of a readiness check, so that the check names the reason. */
const pingTimeoutMs = 1_000;

/**
 * The door of another process: POST the envelope as JSON, and the answer is durable. Connections are kept alive.
 * `send` makes one attempt: timeout, retry and bulkhead wrap it (infra/resilience).
 * @throws OperationalFailure what the service that is asked throws, by its code; DEPENDENCY_TIMEOUT and
 *   DEPENDENCY_FAILED (retryable: the same command id is answered once); DEPENDENCY_REFUSED (not: a wrong URL, or a
 *   service of another version)
 */
export function httpCommandDoor<C, Answer>(options: RemoteDoorOptions<Answer>): RemoteDoor<C, Answer> {
  const { name, read } = options;
  const url = new URL(doorPath(name).slice(1), options.url.endsWith('/') ? options.url : `${options.url}/`);
  return {
    send: async (envelope, call) => {
      const signal = call?.signal;
      const answer = read(await requestJson({ url, body: envelope, signal, failureOf: readDoorFailure }));
      if (answer === null) throw unreadableAnswer(url);
      return answer;
    },
    ping: async () => {
      const answer = await requestJson({ url, signal: AbortSignal.timeout(pingTimeoutMs) });
      if (JSON.stringify(answer) !== JSON.stringify({ door: name })) throw unreadableAnswer(url);
    },
  };
}
