import { openCommandDoor, type RemoteDoor } from '../../infra/command-door/open.ts';
import type { CommandAnswer } from '../../infra/command-door/port.ts';
import { readCommandAnswer } from '../../infra/command-door/wire-format.ts';
import type { Config } from '../../infra/config/config.ts';
import type { ReadinessCheck } from '../../infra/http-server/health.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { defaultLimits, protect } from '../../infra/resilience/protect.ts';
import type { OrderDoorCommand, ReservationCommand } from '../../schemas/commands.ts';
import { observing } from './observe-dependencies.ts';
import type { World } from './ports.ts';
import { readStockAnswer, remoteInventory, type RemoteStockAnswer } from './remote-stock.ts';

/** The services that decide orders and stock, as the sagas ask them. */
export type Doors = Pick<World, 'orders' | 'inventory'> & {
  /** Of the doors of other processes: without them no saga goes on. */
  readonly doorReadiness: readonly ReadinessCheck[];
};

export type DoorsOptions = {
  readonly config: Pick<Config, 'commandsUrl' | 'inventoryUrl'>;
  readonly metrics: Metrics;
  /** What this process decides by itself where no URL says who else does; each is opened only then. */
  readonly local: {
    readonly orders: () => Promise<World['orders']> | World['orders'];
    readonly inventory: () => World['inventory'];
  };
};

/**
 * An attempt waits longer than the 2 s that a repeat waits there for its twin. A service that is gone is asked again
 * after a second: it stands behind a supervisor, unlike a gateway, and all sagas wait for it.
 */
const limits = {
  ...defaultLimits,
  timeoutMs: 2_500,
  breaker: { ...defaultLimits.breaker, windowMs: 5_000, openMs: 1_000 },
};

export async function openDoors({ config, metrics, local }: DoorsOptions): Promise<Doors> {
  const { commandsUrl, inventoryUrl } = config;
  const doorReadiness: ReadinessCheck[] = [];
  const guarded = <C, Answer>(door: RemoteDoor<C, Answer>, name: string): Pick<RemoteDoor<C, Answer>, 'send'> => {
    doorReadiness.push({ name, check: () => door.ping() });
    return protect({ send: door.send }, { ...limits, name, observer: observing(metrics, [name]) });
  };
  const orders = commandsUrl === null ? await local.orders() : guarded(ordersAt(commandsUrl), 'order-commands');
  const inventory =
    inventoryUrl === null ? local.inventory() : remoteInventory(guarded(stockAt(inventoryUrl), 'inventory'));
  return { orders, inventory, doorReadiness };
}

function ordersAt(url: string): RemoteDoor<OrderDoorCommand, CommandAnswer> {
  return openCommandDoor({ url, name: 'orders', read: readCommandAnswer });
}

function stockAt(url: string): RemoteDoor<ReservationCommand, RemoteStockAnswer> {
  return openCommandDoor({ url, name: 'stock', read: readStockAnswer });
}
