import { parseArgs } from 'node:util';

import { OperationalFailure } from '../../infra/failures.ts';
import { roleNames, type RoleName } from './roles.ts';

export type StackOptions = {
  /** How many processes of a role; one of each that is not named. */
  readonly scale: ReadonlyMap<RoleName, number>;
  /** Instead of a Postgres of our own. */
  readonly eventStoreUrl: string | null;
};

export const usage = `Usage: npm run stack -- [options]

Runs the distributed form on this machine, without Docker: Kafka, Redis, Postgres and one process per role.

  --scale ROLE=N       so many processes of a role (1 to 16), as --scale projector=3; may be repeated
  --event-store URL    the event store, instead of a Postgres of our own under DATA_DIR
  --help

Roles: ${roleNames.join(', ')}. Everything else is configuration: npx order-center config.`;

const processesMax = 16;

/** @throws OperationalFailure INVALID_CONFIGURATION, in one line; null: help was asked for */
export function readOptions(args: readonly string[]): StackOptions | null {
  const { values } = parsed(args);
  if (values.help === true) return null;
  return { scale: new Map((values.scale ?? []).map(readScale)), eventStoreUrl: values['event-store'] ?? null };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scale: { type: 'string', multiple: true },
        'event-store': { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (cause) {
    throw refusal(cause instanceof Error ? cause.message : String(cause));
  }
}

function readScale(text: string): readonly [RoleName, number] {
  const [name = '', count = ''] = text.split('=');
  const role = roleNames.find((known) => known === name);
  const processes = /^\d{1,2}$/.test(count) ? Number(count) : 0;
  if (role === undefined) throw refusal(`--scale ${text}: the roles are ${roleNames.join(', ')}`);
  if (processes < 1 || processes > processesMax) throw refusal(`--scale ${text}: 1 to ${processesMax} processes`);
  if (role === 'origin' || role === 'simulators') {
    if (processes > 1) throw refusal(`--scale ${text}: there is one ${role}, at one address`);
  }
  return [role, processes];
}

function refusal(detail: string): OperationalFailure {
  return new OperationalFailure('INVALID_CONFIGURATION', detail, { retryable: false });
}
