import net from 'node:net';
import tls from 'node:tls';
import { Kafka, logLevel, type ISocketFactory, type logCreator } from 'kafkajs';
import type { Logger } from 'pino';
import { within } from '../within.ts';
import { collectHeadersOnce } from './driver-headers.ts';
import type { KafkaAddress } from './kafka-url.ts';
import { quietRequestQueue } from './quiet-request-queue.ts';

quietRequestQueue();

/** Every client is bounded the same way: what does not answer in these times is asked again, or given up by its caller. */
const connectionTimeoutMs = 2_000;
const authenticationTimeoutMs = 3_000;
const keepAliveMs = 30_000;
/** The driver's retries of one request; the loops around it start anew after that. */
const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 4, factor: 0.2, multiplier: 2 };
const disconnectMs = 2_000;

export type ClientOptions = {
  readonly address: KafkaAddress;
  /** Seen in the broker's logs and quotas. */
  readonly clientId: string;
  readonly log: Logger;
  /** How long one request waits for its answer, besides the waiting that it asks for. */
  readonly requestTimeoutMs: number;
};

export type KafkaClient = {
  readonly kafka: Kafka;
  /** Disconnects what was opened, and cuts every connection that does not end within two seconds. */
  close(disconnect: () => Promise<void>): Promise<void>;
  /** Cuts all connections now: requests in flight fail, and no answer of theirs comes any more. */
  abandon(): void;
};

collectHeadersOnce();

export function openKafkaClient({ address, clientId, log, requestTimeoutMs }: ClientOptions): KafkaClient {
  const sockets = new Set<net.Socket>();
  const kafka = new Kafka({
    clientId,
    brokers: [...address.brokers],
    ...(address.tls ? { ssl: true } : {}),
    ...(address.sasl === null ? {} : { sasl: { ...address.sasl } as never }),
    connectionTimeout: connectionTimeoutMs,
    authenticationTimeout: authenticationTimeoutMs,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: true,
    retry: { ...retry, restartOnFailure: () => Promise.resolve(false) },
    socketFactory: openSocketFactory(sockets, address.tls),
    logLevel: log.isLevelEnabled('debug') ? logLevel.INFO : logLevel.WARN,
    logCreator: logTo(log),
  });
  const abandon = (): void => {
    for (const socket of sockets) socket.destroy(new Error('this connection was given up'));
  };
  return {
    kafka,
    abandon,
    close: async (disconnect) => {
      const disconnected = disconnect().then(
        () => true,
        () => false,
      );
      // The driver warns of a connection that ends with an error, also where nobody waits for it any more.
      if ((await within(disconnectMs, disconnected)) === true) for (const socket of sockets) socket.destroy();
      else abandon();
    },
  };
}

/** Every socket is remembered, for the driver has no way to end a request that nobody answers. */
function openSocketFactory(sockets: Set<net.Socket>, isSecure: boolean): ISocketFactory {
  return ({ host, port, ssl, onConnect }) => {
    const servername = net.isIP(host) === 0 ? { servername: host } : {};
    const socket = isSecure
      ? tls.connect({ host, port, ...servername, ...ssl }, onConnect)
      : net.connect({ host, port }, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    sockets.add(socket);
    socket.on('close', () => void sockets.delete(socket));
    return socket;
  };
}

/**
 * The driver's errors are mostly what it is about to try again: warnings here. What ends a consumer or a send is thrown,
 * and logged by whoever catches it.
 */
function logTo(log: Logger): logCreator {
  return () =>
    ({ namespace, level, log: { message } }) => {
      const line = { name: `kafkajs ${namespace}` };
      if (level === logLevel.ERROR || level === logLevel.WARN) log.warn(line, message);
      else log.debug(line, message);
    };
}
