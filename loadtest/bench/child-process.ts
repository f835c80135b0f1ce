import { fork } from 'node:child_process';

/** A process of its own that answers one request at a time. */
export type Child<Request, Answer> = {
  readonly pid: number;
  /** Rejects when the child fails, ends, or takes longer than two minutes. */
  ask(request: Request): Promise<Answer>;
  /** Lets it close what it holds and end; kills it after ten seconds. */
  stop(): Promise<void>;
};

const answerWithinMs = 120_000;
const endWithinMs = 10_000;

type Message<Answer> = { readonly answer: Answer } | { readonly error: string };

/** @param file absolute path of a `*.child.ts` that calls `serve` */
export function startChild<Request extends object, Answer>(
  file: string,
  execArgv: readonly string[] = [],
): Child<Request, Answer> {
  const child = fork(file, { execArgv: [...execArgv], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ask = (request: Request): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const failed = (reason: string): void => settle(() => reject(new Error(`${file}: ${reason}`)));
      const timer = setTimeout(() => failed('no answer in time'), answerWithinMs);
      const onExit = (code: number | null): void => failed(`ended with ${code ?? 'a signal'}`);
      const onMessage = (message: Message<Answer>): void => {
        if ('error' in message) failed(message.error);
        else settle(() => resolve(message.answer));
      };
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        child.off('exit', onExit);
        child.off('message', onMessage);
        then();
      };
      child.on('exit', onExit);
      child.on('message', onMessage);
      child.send(request);
    });
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), endWithinMs);
    await ended;
    clearTimeout(timer);
  };
  if (child.pid === undefined) throw new Error(`${file} did not start`);
  return { pid: child.pid, ask, stop };
}

/** The child's side: answers until its parent disconnects or dies, then closes. */
export function serve(handle: (request: never) => Promise<unknown>, close: () => Promise<void>): void {
  process.on('message', (request) => {
    handle(request as never).then(
      (answer) => process.send?.({ answer }),
      (error: unknown) =>
        process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.once('disconnect', () => void close());
}
