import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logisticsContract } from '../../infra/logistics/contract.ts';
import { openLogistics } from '../../infra/logistics/open.ts';
import { paymentsContract } from '../../infra/payments/contract.ts';
import { openPayments } from '../../infra/payments/open.ts';
import { riskContract } from '../../infra/risk/contract.ts';
import { openRisk } from '../../infra/risk/open.ts';
import { startLogisticsSimulator } from './logistics.ts';
import { startPaymentSimulator } from './payment.ts';
import { startRiskSimulator } from './risk.ts';

// The HTTP adapters against the real simulators, on real ledgers: one run covers both ends of the wire.
const settings = { delayMs: 0, errorRate: 0, timeoutAfterSuccessRate: 0 };

paymentsContract('http, against the simulator', async () => {
  const { dataDir, remove } = await folder();
  const simulator = await startPaymentSimulator({ settings, dataDir });
  return { payments: openPayments(simulator.url), close: () => simulator.close().then(remove) };
});

logisticsContract('http, against the simulator', async () => {
  const { dataDir, remove } = await folder();
  const simulator = await startLogisticsSimulator({ settings: { ...settings, deliveryMs: 100 }, dataDir });
  return { logistics: openLogistics(simulator.url), close: () => simulator.close().then(remove) };
});

riskContract('http, against the simulator', async () => {
  const { dataDir, remove } = await folder();
  const simulator = await startRiskSimulator({ settings, dataDir });
  await fetch(`${simulator.url}/sim/faults/risky`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ faults: [{ op: 'assess', kind: 'decline', code: 'TOO_RISKY' }] }),
  });
  return { risk: openRisk(simulator.url), close: () => simulator.close().then(remove) };
});

async function folder() {
  const dataDir = await mkdtemp(join(tmpdir(), 'order-center-simulators-'));
  return { dataDir, remove: () => rm(dataDir, { recursive: true }) };
}
