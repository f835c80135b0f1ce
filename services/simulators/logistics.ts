import { Type } from 'typebox';
import type { ShipmentEntry } from '../../infra/logistics/carrier.ts';
import { memoryLogistics } from '../../infra/logistics/memory.ts';
import type { Simulator } from './server.ts';
import type { LogisticsSettings } from './settings.ts';
import { body, id, key, label, quantity } from './shapes.ts';
import { startSimulator, type Kind, type StartOptions } from './start.ts';

/**
 * A carrier over real HTTP with the promises of `infra/logistics/port.ts`. Its ledger is `simulators/logistics.jsonl`,
 * one line (a ShipmentEntry) an effect, on disk before the answer; addresses are read and forgotten.
 */
export function startLogisticsSimulator(options: StartOptions<LogisticsSettings>): Promise<Simulator> {
  return startSimulator(carrier(options.settings.deliveryMs), options);
}

const effect = { key, orderId: id, shipmentId: id };
const lines = Type.Array(body({ lineId: id, sku: id, quantity }), { maxItems: 10_000 });
const address = body({
  name: label,
  line1: label,
  line2: Type.Optional(label),
  city: label,
  region: Type.Optional(label),
  postalCode: label,
  country: label,
});

function carrier(deliveryMs: number): Kind<ShipmentEntry> {
  return {
    file: 'logistics.jsonl',
    serve: ({ faults, entries, record }) => {
      const refuse = ({ orderId, op }: { orderId: string; op: string }) => faults.decline(orderId, op);
      const { find, ...logistics } = memoryLogistics({ refuse, deliveryMs, entries, record });
      return {
        find,
        operations: {
          book: { body: body({ ...effect, lines, address: Type.Optional(address) }), run: logistics.book },
          cancelBooking: { body: body({ ...effect, effectKey: key }), run: logistics.cancelBooking },
          dispatch: { body: body({ ...effect, providerId: id }), run: logistics.dispatch },
          delivery: { body: body({ orderId: id, shipmentId: id, providerId: id }), run: logistics.delivery },
        },
      };
    },
  };
}
