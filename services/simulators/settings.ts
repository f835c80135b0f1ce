import type { SimulatorConfig } from '../../infra/config/config.ts';

/** How a simulator behaves for every order; one order is scripted with `PUT /sim/faults/{orderId}`. */
export type SimulatorSettings = Omit<SimulatorConfig, 'port'>;

export type LogisticsSettings = SimulatorSettings & { readonly deliveryMs: number };
