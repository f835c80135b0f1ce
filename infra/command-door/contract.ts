import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderDoorCommand } from '../../schemas/commands.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { derivedId, newEventId, type CommandId, type OrderId, type TenantId } from '../../schemas/ids.ts';
import type { CommandDoor, CommandEnvelope } from './port.ts';

/** One service behind a door, and beside it the same service asked in its own process. */
export type DoorWorld = {
  readonly door: CommandDoor<OrderDoorCommand>;
  readonly inProcess: CommandDoor<OrderDoorCommand>;
  /** A new order of the tenant `default`. */
  readonly place: () => Promise<OrderId>;
  readonly eventsOf: (orderId: OrderId) => Promise<readonly RecordedEvent[]>;
  /** Its store answers nothing any more. */
  readonly breakStore: () => void;
  readonly close: () => Promise<void>;
};

const tenantId = 'default' as TenantId;

export function envelope<C extends OrderDoorCommand>(command: C, commandId: string): CommandEnvelope<C> {
  return { tenantId, commandId: commandId as CommandId, command, correlationId: 'trace-1', causationId: null };
}

/** What every way to ask a service keeps, so that a saga cannot tell one from another. */
export function commandDoorContract(name: string, open: () => Promise<DoorWorld>): void {
  describe(`a command door: ${name}`, () => {
    let world: DoorWorld;
    let orderId: OrderId;
    beforeEach(async () => {
      world = await open();
      orderId = await world.place();
    });
    afterEach(() => world.close());

    const cancel = () => ({ type: 'CancelOrder', orderId, reason: 'out_of_stock' }) as const;
    const authorized = () =>
      ({
        type: 'RecordPaymentAuthorized',
        orderId,
        providerId: 'ä/1 ',
        amount: 500,
        paymentId: derivedId(orderId, 'payment/1'),
        currency: 'EUR',
        occurredAt: '2026-01-02T03:04:05.678Z',
      }) as const;

    it('answers an acceptance with the version after it, and the event is there', async () => {
      expect(await world.door.send(envelope(cancel(), 'c1'))).toEqual({ outcome: 'accepted', version: 2 });
      const events = await world.eventsOf(orderId);
      expect(events.at(-1)).toMatchObject({ type: 'OrderCancelled', data: { reason: 'out_of_stock' } });
    });

    it('answers a refusal as a value, with its code', async () => {
      await world.door.send(envelope(cancel(), 'c1'));
      const answer = await world.door.send(envelope({ type: 'BeginDispatch', orderId }, 'b1'));
      expect(answer).toEqual({
        outcome: 'rejected',
        rejection: { code: 'ORDER_CANCELLED', detail: expect.any(String) as string },
      });
    });

    it('answers the same command id as the first time, whatever came in between', async () => {
      const first = await world.door.send(envelope(authorized(), 'a1'));
      await world.door.send(envelope(cancel(), 'c1'));
      expect(await world.door.send(envelope(authorized(), 'a1'))).toEqual(first);
      expect((await world.eventsOf(orderId)).map(({ type }) => type)).toEqual([
        'OrderPlaced',
        'PaymentAuthorized',
        'OrderCancelled',
      ]);
    });

    it('knows a command again that came by another door', async () => {
      const first = await world.inProcess.send(envelope(authorized(), 'a1'));
      expect(await world.door.send(envelope(authorized(), 'a1'))).toEqual(first);
      const second = await world.door.send(envelope(cancel(), 'c1'));
      expect(await world.inProcess.send(envelope(cancel(), 'c1'))).toEqual(second);
      expect(await world.eventsOf(orderId)).toHaveLength(3);
    });

    it('refuses a command id that came with another payload', async () => {
      await world.door.send(envelope(cancel(), 'c1'));
      const answer = await world.door.send(envelope({ ...cancel(), reason: 'another' }, 'c1'));
      expect(answer).toMatchObject({ outcome: 'rejected', rejection: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    });

    it('makes one effect of twins in flight', async () => {
      const twins = Array.from({ length: 8 }, () => world.door.send(envelope(cancel(), 'c1')));
      expect(new Set((await Promise.all(twins)).map((answer) => JSON.stringify(answer))).size).toBe(1);
      expect(await world.eventsOf(orderId)).toHaveLength(2);
    });

    it("does not find another tenant's order", async () => {
      const foreign = { ...envelope(cancel(), 'c1'), tenantId: 'other' as TenantId };
      expect(await world.door.send(foreign)).toMatchObject({ rejection: { code: 'ORDER_NOT_FOUND' } });
      expect(await world.eventsOf(orderId)).toHaveLength(1);
    });

    it('carries what the event is traced by', async () => {
      const causationId = newEventId();
      await world.door.send({ ...envelope(cancel(), 'c1'), correlationId: 'trace-2', causationId });
      expect((await world.eventsOf(orderId)).at(-1)).toMatchObject({
        ...{ commandId: 'c1', correlationId: 'trace-2', causationId, tenantId },
      });
    });

    it('throws what the service throws, and says whether to ask again', async () => {
      world.breakStore();
      await expect(world.door.send(envelope(cancel(), 'c1'))).rejects.toMatchObject({
        name: 'OperationalFailure',
        code: 'STORE_UNAVAILABLE',
        retryable: true,
      });
    });
  });
}
