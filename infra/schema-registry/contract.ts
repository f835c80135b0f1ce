import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleData, exampleOrderId } from '../../schemas/examples.ts';
import { allEventWriters } from '../../schemas/event-writers.ts';
import { newEventId, orderStream } from '../../schemas/ids.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { decodeEventRecord, encodeEventRecord } from '../../schemas/wire/event-record.ts';
import type { SchemaRegistry } from './port.ts';
import { openRecordSchemas } from './record-schemas.ts';

/** What every adapter of SchemaRegistry keeps. */
export function schemaRegistryContract(name: string, open: () => SchemaRegistry): void {
  describe(`schema registry: ${name}`, () => {
    let registry: SchemaRegistry;
    beforeAll(() => {
      registry = open();
    });

    const schemaOf = (field: string) => ({ type: 'record', name: 'Given', fields: [{ name: field, type: 'string' }] });
    const freshSubject = () => `test.${randomUUID()}`;

    it('gives one schema one id, and the schema back for it', async () => {
      const subject = freshSubject();
      const id = await registry.register(subject, schemaOf('sku'));
      expect(await registry.register(subject, schemaOf('sku'))).toBe(id);
      expect(JSON.parse((await registry.schemaOf(id)) ?? '')).toEqual(schemaOf('sku'));
    });

    it('gives another schema another id', async () => {
      const ids = await Promise.all(['a', 'b'].map((field) => registry.register(freshSubject(), schemaOf(field))));
      expect(new Set(ids).size).toBe(2);
    });

    it('knows nothing of an id that it did not give', async () => {
      expect(await registry.schemaOf(2 ** 31 - 1)).toBeNull();
    });

    it('answers that it is there', async () => {
      await expect(registry.ping()).resolves.toBeUndefined();
    });

    it('carries an event from a writer to a reader that only knows the registry', { timeout: 60_000 }, async () => {
      const event = {
        ...{ position: '3f0c1d2e.8.1', eventId: newEventId(), stream: orderStream(exampleOrderId), revision: 0 },
        ...{ type: 'OrderPlaced', schemaVersion: 1, tenantId: 'default', origin: 'live', commandId: 'c-1' },
        ...{ recordedAt: '2026-11-23T10:00:01.000Z', occurredAt: null, correlationId: '', causationId: null },
        data: exampleData.OrderPlaced,
      } as unknown as RecordedEvent;
      const written = await openRecordSchemas(registry).register(allEventWriters);
      const record = encodeEventRecord(event, 'epoch', written);
      if (record === null) throw new Error('it is published');
      expect(record.value[0]).toBe(0);
      const reader = await openRecordSchemas(registry).load([record.value]);
      expect(decodeEventRecord(record, reader)).toEqual({ kind: 'event', event, epoch: 'epoch' });
    });
  });
}
