import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  NAMESPACE,
  categoryOf,
  derivedId,
  orderIdOf,
  orderIdOfStream,
  orderStream,
  parseCommandId,
  parseOrderId,
  parseSku,
  parseTenantId,
  stockStream,
  type OrderId,
} from './ids.ts';
import published from './ids.vectors.json' with { type: 'json' };

describe('published id vectors', () => {
  it('are of the namespace that the code uses', () => {
    expect(published.namespace).toBe(NAMESPACE);
    expect(published.vectors.length).toBeGreaterThanOrEqual(6);
  });

  it.each(published.vectors)('$orderId follows from its tenant and command', ({ tenantId, commandId, orderId }) => {
    const tenant = parseTenantId(tenantId);
    const command = parseCommandId(commandId);
    if (tenant === null || command === null) throw new Error('a vector is not of the documented shape');
    expect(orderIdOf(tenant, command)).toBe(orderId);
    expect(orderIdOf(tenant, command)).toBe(orderId);
  });

  it.each(published.children)('$id follows from $name of its parent', ({ parent, name, id }) => {
    expect(derivedId(parent as OrderId, name)).toBe(id);
  });

  it('stand in docs/ids.md', () => {
    const page = readFileSync(join(import.meta.dirname, '../docs/ids.md'), 'utf8');
    for (const { orderId } of published.vectors) expect(page).toContain(orderId);
    expect(page).toContain(published.namespace);
  });
});

describe('parsers of ids', () => {
  it('take 1 to 255 visible characters as a command id, and nothing else', () => {
    for (const good of ['k', 'k'.repeat(255), '!~']) expect(parseCommandId(good)).toBe(good);
    for (const bad of ['', 'k'.repeat(256), 'a b', 'a\n', 'é', '\u007f', '\u0000'])
      expect(parseCommandId(bad)).toBeNull();
  });

  it('take 1 to 64 plain characters as a tenant id, and nothing else', () => {
    for (const good of ['default', 'a'.repeat(64), 'A_b-1']) expect(parseTenantId(good)).toBe(good);
    for (const bad of ['', 'a'.repeat(65), 'a~b', 'a.b', '../a', 'a\n']) expect(parseTenantId(bad)).toBeNull();
  });

  it('take 1 to 128 visible characters as a SKU, and nothing else', () => {
    for (const good of ['mug', 'a/b?c#d%00', 's'.repeat(128)]) expect(parseSku(good)).toBe(good);
    for (const bad of ['', 's'.repeat(129), 'a b', 'ü']) expect(parseSku(bad)).toBeNull();
  });

  it('take a uuid in any case as an order id, in lower case', () => {
    const orderId = published.vectors[0]?.orderId ?? '';
    expect(parseOrderId(orderId.toUpperCase())).toBe(orderId);
    for (const bad of ['', 'order-1', orderId.slice(1), `${orderId}\n`, `{${orderId}}`])
      expect(parseOrderId(bad)).toBeNull();
  });
});

describe('stream names', () => {
  it('tell their category and order', () => {
    const orderId = parseOrderId(published.vectors[0]?.orderId ?? '');
    const tenant = parseTenantId('acme-1');
    if (orderId === null || tenant === null) throw new Error('unreachable');
    expect(categoryOf(orderStream(orderId))).toBe('order');
    expect(orderIdOfStream(orderStream(orderId))).toBe(orderId);
    expect(stockStream(tenant, 'a-b~c')).toBe('stock-acme-1~a-b~c');
    expect(categoryOf(stockStream(tenant, 'a-b~c'))).toBe('stock');
    expect(orderIdOfStream(stockStream(tenant, 'a-b~c'))).toBeNull();
  });
});
