import { connect } from 'node:net';

/** Sends bytes as they are and reads until the peer closes, or `done` says that enough came; at most 5 s. */
export function exchange(
  url: string,
  bytes: string | Buffer,
  done: (answer: string) => boolean = () => false,
): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const timer = setTimeout(
      () => socket.destroy(new Error(`no end within 5 s; so far: ${answer.slice(0, 300)}`)),
      5_000,
    );
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
      if (done(answer)) end();
    });
    socket.on('end', end).on('error', (error) => {
      clearTimeout(timer);
      // A reset after a whole answer is how a server refuses to read on.
      if (answer === '') reject(error);
      else resolve(answer);
    });
  });
}
