import type { OpenedBackend } from './lazy-backend.ts';

const startMaxMs = 120_000;

/** A Postgres for the run in a container; its user may create databases. */
export async function postgresContainer(): Promise<OpenedBackend> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const password = 'test';
  const container = await new GenericContainer('postgres:18-alpine')
    .withEnvironment({ POSTGRES_USER: 'test', POSTGRES_PASSWORD: password, POSTGRES_DB: 'test' })
    .withExposedPorts(5432)
    // It starts twice: the first time only for its own scripts.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .withStartupTimeout(startMaxMs)
    .start();
  const close = async (): Promise<void> => {
    await container.stop();
  };
  const address = `postgres://test:${password}@${container.getHost()}:${container.getMappedPort(5432)}/test`;
  return { address, close };
}

/** A Redis for the run in a container. */
export async function redisContainer(): Promise<OpenedBackend> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer('redis:7.4-alpine')
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .withStartupTimeout(startMaxMs)
    .start();
  const close = async (): Promise<void> => {
    await container.stop();
  };
  return { address: `redis://${container.getHost()}:${container.getMappedPort(6379)}`, close };
}
