/** How a simulator behaves for every order; one order is scripted with `PUT /sim/faults/{orderId}`. */
export type SimulatorSettings = {
  /** Before every effect. */
  readonly delayMs: number;
  /** Share of requests, 0 to 1, that are answered 500 without any effect. */
  readonly errorRate: number;
  /** Share of requests, 0 to 1, that have their effect and are never answered. */
  readonly timeoutAfterSuccessRate: number;
};

export type AllSettings = {
  readonly payment: SimulatorSettings;
  readonly logistics: SimulatorSettings & { readonly deliveryMs: number };
  readonly risk: SimulatorSettings;
};

type Environment = Readonly<Record<string, string | undefined>>;
type Range = { readonly fallback: number; readonly max: number; readonly isWhole: boolean };

const milliseconds = { max: 60_000, isWhole: true };
const rate = { fallback: 0, max: 1, isWhole: false };

/**
 * Reads SIM_{PAYMENT,LOGISTICS,RISK}_{DELAY_MS,ERROR_RATE,TIMEOUT_AFTER_SUCCESS_RATE} and SIM_LOGISTICS_DELIVERY_MS.
 * The defaults (20 ms an effect, 200 ms to deliver) let a card order reach delivered within the contract's 5 s.
 * @throws Error that names every variable with an impossible value
 */
export function simulatorSettings(env: Environment): AllSettings {
  const problems: string[] = [];
  const number = (name: string, range: Range): number => {
    const text = env[name]?.trim();
    if (text === undefined || text === '') return range.fallback;
    const value = Number(text);
    const isInRange = value >= 0 && value <= range.max && (!range.isWhole || Number.isInteger(value));
    if (!isInRange) problems.push(`${name} must be ${range.isWhole ? 'a whole number' : 'a number'} 0 to ${range.max}`);
    return value;
  };
  const common = (prefix: string): SimulatorSettings => ({
    delayMs: number(`${prefix}_DELAY_MS`, { ...milliseconds, fallback: 20 }),
    errorRate: number(`${prefix}_ERROR_RATE`, rate),
    timeoutAfterSuccessRate: number(`${prefix}_TIMEOUT_AFTER_SUCCESS_RATE`, rate),
  });
  const settings = {
    payment: common('SIM_PAYMENT'),
    logistics: {
      ...common('SIM_LOGISTICS'),
      deliveryMs: number('SIM_LOGISTICS_DELIVERY_MS', { ...milliseconds, fallback: 200 }),
    },
    risk: common('SIM_RISK'),
  };
  if (problems.length > 0) throw new Error(problems.join('; '));
  return settings;
}
