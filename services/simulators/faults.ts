import { Type, type Static } from 'typebox';
import type { SimulatorSettings } from './settings.ts';

/**
 * The body of `PUT /sim/faults/{orderId}`: the faults of one order, in the order in which they strike. It replaces what
 * was scripted before; an empty list heals. Scripts live in memory, until they are used up or the simulator ends.
 *
 * - `op`: the operation that it strikes: `authorize`, `capture`, `void`, `refund`; `book`, `cancelBooking`, `dispatch`,
 *   `delivery`; `assess`; `find`, for keys that begin with `{orderId}/`.
 * - `kind`: `error` answers 500 without effect; `timeout-after-success` has the effect, records it and never answers;
 *   `delay` answers `delayMs` later; `decline` gives the business answer no, with `code` (DECLINED by default). A
 *   repeated key is answered with its first result, so it uses up no `decline`.
 * - `times`: how many requests it strikes, 1 by default.
 */
export const faultScript = Type.Object(
  {
    faults: Type.Array(
      Type.Object(
        {
          op: Type.String({ minLength: 1, maxLength: 32 }),
          kind: Type.Union(
            (['error', 'timeout-after-success', 'delay', 'decline'] as const).map((kind) => Type.Literal(kind)),
          ),
          times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
          delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 30_000 })),
          code: Type.Optional(Type.String({ pattern: '^[A-Z][A-Z0-9_]{0,63}$' })),
        },
        { additionalProperties: false },
      ),
      { maxItems: 100 },
    ),
  },
  { additionalProperties: false },
);

export type Fault = Static<typeof faultScript>['faults'][number];

/** What befalls one request. */
type Disturbance = { readonly delayMs: number; readonly isError: boolean; readonly isSilent: boolean };

export type Faults = {
  /** Answers false when too many orders are scripted. */
  readonly script: (orderId: string, faults: readonly Fault[]) => boolean;
  readonly disturb: (orderId: string, op: string) => Disturbance;
  /** The code of a scripted decline; each ask uses one up. */
  readonly decline: (orderId: string, op: string) => string | undefined;
};

const SCRIPTED_ORDERS_MAX = 10_000;

/** The faults of one simulator: what is scripted for the order strikes first, else the dice of the settings fall. */
export function openFaults(settings: SimulatorSettings, random: () => number = Math.random): Faults {
  const scripts = new Map<string, Fault[]>();
  const take = (orderId: string, isMeant: (fault: Fault) => boolean): Fault | undefined => {
    const script = scripts.get(orderId) ?? [];
    const fault = script.find(isMeant);
    if (!fault) return undefined;
    const left = (fault.times ?? 1) - 1;
    const rest = script.flatMap((one) => (one !== fault ? [one] : left > 0 ? [{ ...one, times: left }] : []));
    if (rest.length > 0) scripts.set(orderId, rest);
    else scripts.delete(orderId);
    return fault;
  };
  return {
    script: (orderId, faults) => {
      if (faults.length === 0) return scripts.delete(orderId) || true;
      if (!scripts.has(orderId) && scripts.size >= SCRIPTED_ORDERS_MAX) return false;
      scripts.set(orderId, [...faults]);
      return true;
    },
    disturb: (orderId, op) => {
      const scripted = take(orderId, (fault) => fault.op === op && fault.kind !== 'decline');
      return scripted ? disturbanceOf(scripted, settings) : dice(settings, random);
    },
    decline: (orderId, op) => {
      const scripted = take(orderId, (fault) => fault.op === op && fault.kind === 'decline');
      return scripted && (scripted.code ?? 'DECLINED');
    },
  };
}

function disturbanceOf(fault: Fault, { delayMs }: SimulatorSettings): Disturbance {
  return {
    delayMs: delayMs + (fault.delayMs ?? 0),
    isError: fault.kind === 'error',
    isSilent: fault.kind === 'timeout-after-success',
  };
}

function dice({ delayMs, errorRate, timeoutAfterSuccessRate }: SimulatorSettings, random: () => number): Disturbance {
  return { delayMs, isError: random() < errorRate, isSilent: random() < timeoutAfterSuccessRate };
}
