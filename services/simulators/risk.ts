import { memoryRisk, type RiskEntry } from '../../infra/risk/memory.ts';
import type { Simulator } from './server.ts';
import { amount, body, currency, id, key } from './shapes.ts';
import { startSimulator, type Kind, type StartOptions } from './start.ts';

/**
 * A risk service over real HTTP with the promises of `infra/risk/port.ts`. Its ledger is `simulators/risk.jsonl`, one
 * line (a RiskEntry) a verdict. It accepts every order that is not scripted to be declined.
 */
export function startRiskSimulator(options: StartOptions): Promise<Simulator> {
  return startSimulator(riskService, options);
}

const riskService: Kind<RiskEntry> = {
  file: 'risk.jsonl',
  serve: ({ faults, entries, record }) => {
    const reject = ({ orderId }: { orderId: string }) => faults.decline(orderId, 'assess');
    const risk = memoryRisk({ reject, entries, record });
    return {
      operations: { assess: { body: body({ key, orderId: id, customerId: id, amount, currency }), run: risk.assess } },
    };
  },
};
