import { simulatorSettings } from './settings.ts';
import { startSimulators } from './simulators.ts';

/**
 * Runs the three simulators alone. Environment: HOST (127.0.0.1), DATA_DIR (.data), SIM_{PAYMENT,LOGISTICS,RISK}_PORT
 * (free ones) and the settings of `simulatorSettings`. Prints one line `PAYMENT_URL=…` each; a signal ends it with 0.
 */
async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const simulators = await startSimulators({
    dataDir: env['DATA_DIR'] ?? '.data',
    host: env['HOST'] ?? '127.0.0.1',
    ports: {
      payment: port(env, 'SIM_PAYMENT_PORT'),
      logistics: port(env, 'SIM_LOGISTICS_PORT'),
      risk: port(env, 'SIM_RISK_PORT'),
    },
    settings: simulatorSettings(env),
  });
  const { paymentUrl, logisticsUrl, riskUrl } = simulators;
  const stop = () => void simulators.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(`PAYMENT_URL=${paymentUrl}\nLOGISTICS_URL=${logisticsUrl}\nRISK_URL=${riskUrl}\n`);
}

function port(env: NodeJS.ProcessEnv, name: string): number {
  const value = Number(env[name] ?? 0);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new Error(`${name} must be a port, 0 to 65535`);
  return value;
}

await main(process.env).catch((error: unknown) => {
  process.stderr.write(`simulators: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
