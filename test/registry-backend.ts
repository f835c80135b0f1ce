import { schemaRegistryMissing, startSchemaRegistry } from '../infra/local/schema-registry.ts';
import { namedBackend, type BackendSource, type OpenedBackend } from './lazy-backend.ts';

// The same program as on the machine's Java; this image keeps its schemas in memory.
const image = 'apicurio/apicurio-registry-mem:2.6.13.Final';
const port = 8080;

/** TEST_REGISTRY_URL, else a container where Docker runs, else Apicurio on the machine's Java. */
export async function registryBackend(dockerRuns: () => Promise<boolean>): Promise<BackendSource> {
  const url = process.env.TEST_REGISTRY_URL ?? '';
  if (url !== '') return namedBackend(url);
  if (await dockerRuns()) return { missing: null, open: inContainer };
  const missing = await schemaRegistryMissing();
  return { missing: missing === null ? null : `${missing}; or set TEST_REGISTRY_URL`, open: onJava };
}

async function onJava(): Promise<OpenedBackend> {
  const registry = await startSchemaRegistry({ say: (line) => console.log(`tests: ${line}`) });
  return { address: registry.url, close: () => registry.stop() };
}

async function inContainer(): Promise<OpenedBackend> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const path = '/apis/ccompat/v7';
  const container = await new GenericContainer(image)
    .withExposedPorts(port)
    .withWaitStrategy(Wait.forHttp(`${path}/subjects`, port))
    .start();
  const close = async (): Promise<void> => {
    await container.stop();
  };
  return { address: `http://${container.getHost()}:${container.getMappedPort(port)}${path}`, close };
}
