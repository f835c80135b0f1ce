import { join } from 'node:path';
import type { Config } from '../../infra/config/config.ts';
import { claimDataDir } from '../../infra/local/data-dir.ts';
import { startLogisticsSimulator } from './logistics.ts';
import { startPaymentSimulator } from './payment.ts';
import { startRiskSimulator } from './risk.ts';

export type SimulatorsOptions = Pick<Config, 'simulators'> & {
  /** Ledgers are kept in its folder `simulators`, which one process at a time may have. */
  readonly dataDir: string;
  /** 127.0.0.1 by default. */
  readonly host?: string;
};

export type Simulators = {
  readonly paymentUrl: string;
  readonly logisticsUrl: string;
  readonly riskUrl: string;
  readonly close: () => Promise<void>;
};

/**
 * Starts all three simulators in this process; what had started is closed again when one fails.
 * @throws OperationalFailure DATA_DIR_IN_USE, DATA_DIR_UNUSABLE; Error when a port is taken or a ledger cannot be read
 */
export async function startSimulators(options: SimulatorsOptions): Promise<Simulators> {
  const { dataDir, host = '127.0.0.1', simulators: settings } = options;
  await using started = new AsyncDisposableStack();
  const claim = await claimDataDir(join(dataDir, 'simulators'));
  started.defer(() => claim.release());
  const { payment: pay, logistics: ship, risk: assess } = settings;
  const payment = await startPaymentSimulator({ dataDir, host, port: pay.port, settings: pay });
  started.defer(payment.close);
  const logistics = await startLogisticsSimulator({ dataDir, host, port: ship.port, settings: ship });
  started.defer(logistics.close);
  const risk = await startRiskSimulator({ dataDir, host, port: assess.port, settings: assess });
  started.defer(risk.close);
  const running = started.move();
  return {
    paymentUrl: payment.url,
    logisticsUrl: logistics.url,
    riskUrl: risk.url,
    close: () => running.disposeAsync(),
  };
}
