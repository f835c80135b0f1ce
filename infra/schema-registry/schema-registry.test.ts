import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { avroWriter } from '../../schemas/avro/writer.ts';
import { describeWithRegistry, registryUrl } from '../../test/registry.ts';
import { schemaRegistryContract } from './contract.ts';
import { httpSchemaRegistry } from './http/http-registry.ts';
import { memoryRegistry } from './memory/memory-registry.ts';
import { openRecordSchemas } from './record-schemas.ts';

schemaRegistryContract('memory', memoryRegistry);

describeWithRegistry('a real one', () => {
  schemaRegistryContract('http', () => httpSchemaRegistry(registryUrl()));

  it('is not taken for one that knows no schema where only the address is wrong', async () => {
    const lost = httpSchemaRegistry(`${registryUrl()}/elsewhere`);
    await expect(lost.schemaOf(1)).rejects.toMatchObject({ code: 'SCHEMA_REGISTRY_UNAVAILABLE', retryable: true });
  });
});

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/apis/ccompat/v7/`;
}

describe('a registry on HTTP', () => {
  const answering = (status: number, body: string) => serve((_, response) => response.writeHead(status).end(body));

  it.each([
    [500, '{"error_code":50001}'],
    [401, '{"error_code":40101}'],
    [429, ''],
    [404, '<html>nothing here</html>'],
    [404, '{"error_code":404,"message":"HTTP 404 Not Found"}'],
    [200, '{"other":1}'],
    [200, 'no JSON'],
    [302, ''],
  ])('that answers %i %s pauses its readers', async (status, body) => {
    const registry = httpSchemaRegistry(await answering(status, body));
    await expect(registry.schemaOf(1)).rejects.toMatchObject({ code: 'SCHEMA_REGISTRY_UNAVAILABLE', retryable: true });
  });

  it.each([
    [404, '{"error_code":40403,"message":"Schema not found"}'],
    [200, '{"schemaType":"PROTOBUF","schema":"syntax = \\"proto3\\";"}'],
  ])('that answers %i %s has no such Avro schema', async (status, body) => {
    expect(await httpSchemaRegistry(await answering(status, body)).schemaOf(1)).toBeNull();
  });

  it.each([409, 422])('that answers %i to a schema refuses it for good', async (status) => {
    const registry = httpSchemaRegistry(await answering(status, '{"error_code":409}'));
    await expect(registry.register('a', {})).rejects.toMatchObject({ code: 'SCHEMA_REFUSED', retryable: false });
  });

  it('that is not there, or never ends its answer, pauses its readers within its time', async () => {
    const gone = httpSchemaRegistry('http://127.0.0.1:1');
    await expect(gone.schemaOf(1)).rejects.toMatchObject({ code: 'SCHEMA_REGISTRY_UNAVAILABLE' });
    const endless = await serve((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
      response.on('close', () => clearInterval(timer));
    });
    await expect(httpSchemaRegistry(endless).schemaOf(1)).rejects.toMatchObject({
      code: 'SCHEMA_REGISTRY_UNAVAILABLE',
    });
  });

  it('gets user and password as authorization, and never in a path', async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      seen.push([request.url, request.headers.authorization]);
      response.end('{"id":7}');
    });
    const registry = httpSchemaRegistry(url.replace('http://', 'http://shop:p%40ss@'));
    expect(await registry.register('ordercenter.events.OrderPlaced', {})).toBe(7);
    const credentials = `Basic ${Buffer.from('shop:p@ss').toString('base64')}`;
    expect(seen).toEqual([['/apis/ccompat/v7/subjects/ordercenter.events.OrderPlaced/versions', credentials]]);
  });
});

describe('schemas of records', () => {
  const schema = { type: 'record', name: 'Given', fields: [{ name: 'sku', type: 'string' }] };
  const named = (id: number) => Buffer.from([0, 0, 0, 0, id, 2]);

  it('are asked for once, however many records name them', async () => {
    const registry = memoryRegistry();
    const id = await registry.register('a', schema);
    const schemas = openRecordSchemas(registry);
    for (let batch = 0; batch < 3; batch += 1) {
      const known = await schemas.load(Array.from({ length: 100 }, () => named(id)));
      expect(known.byId(id)?.fingerprint).toEqual(avroWriter(schema).fingerprint);
    }
    expect(registry.asked()).toBe(1);
  });

  it('that are unknown are asked for again after a while: the registry may learn', async () => {
    const registry = memoryRegistry();
    let now = 0;
    const schemas = openRecordSchemas(registry, () => now);
    expect((await schemas.load([named(1)])).byId(1)).toBeUndefined();
    await registry.register('a', schema);
    expect((await schemas.load([named(1)])).byId(1)).toBeUndefined();
    now = 10_000;
    expect((await schemas.load([named(1)])).byId(1)).toBeDefined();
  });

  it('that are no records, or no Avro at all, are like unknown ones', async () => {
    const registry = memoryRegistry();
    const id = await registry.register('a', ['string', 'null']);
    expect((await openRecordSchemas(registry).load([named(id)])).byId(id)).toBeUndefined();
  });

  it('are not asked for where records name none', async () => {
    const registry = memoryRegistry();
    registry.setDown(true);
    const values = [null, Buffer.alloc(0), Buffer.from('c301', 'hex'), Buffer.alloc(3)];
    await expect(openRecordSchemas(registry).load(values)).resolves.toBeDefined();
  });

  it('wait while the registry is down, and are there when it is back', async () => {
    const registry = memoryRegistry();
    const id = await registry.register('a', schema);
    const schemas = openRecordSchemas(registry);
    registry.setDown(true);
    await expect(schemas.load([named(id)])).rejects.toMatchObject({ code: 'SCHEMA_REGISTRY_UNAVAILABLE' });
    registry.setDown(false);
    expect((await schemas.load([named(id)])).byId(id)).toBeDefined();
  });
});
