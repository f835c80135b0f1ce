import { readConfig, type Environment } from '../../infra/config/config.ts';
import { endAfter, untilAsked } from '../../infra/process/run-process.ts';
import { startSimulators } from './simulators.ts';

/** Runs the three simulators alone, on SIM_{PAYMENT,LOGISTICS,RISK}_PORT. Prints one line `PAYMENT_URL=…` each. */
await endAfter(() => run(process.env));

async function run(env: Environment): Promise<void> {
  const asked = untilAsked();
  const { dataDir, host, simulators: settings } = readConfig(env);
  const simulators = await startSimulators({ dataDir, host, simulators: settings });
  const { paymentUrl, logisticsUrl, riskUrl } = simulators;
  process.stdout.write(`PAYMENT_URL=${paymentUrl}\nLOGISTICS_URL=${logisticsUrl}\nRISK_URL=${riskUrl}\n`);
  await asked;
  await simulators.close();
}
