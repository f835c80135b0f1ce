import { Command, InvalidArgumentError } from 'commander';

import type { Environment } from '../../infra/config/config.ts';
import { parseCommandId, parseOrderId, parseTenantId } from '../../schemas/ids.ts';
import type { CommandId, OrderId, TenantId } from '../../schemas/ids.ts';
import type { Terminal } from './terminal.ts';

/** What a verb works with, so that a test can give it others. */
export type VerbContext = {
  readonly env: Environment;
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C: the verb ends without half-done effects, and the exit code is 130. */
  readonly signal: AbortSignal;
};

/** Runs a verb to its exit code. */
export type Verb<Arguments extends readonly unknown[]> = (context: VerbContext, ...given: Arguments) => Promise<number>;

/** Makes a verb the action of a command. */
export type Act = <Arguments extends readonly unknown[]>(
  verb: Verb<Arguments>,
) => (...given: [...Arguments, ...unknown[]]) => Promise<void>;

export function toUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href;
  throw new InvalidArgumentError('It must be a URL, as http://127.0.0.1:8080.');
}

export function toTenant(text: string): TenantId {
  const tenantId = parseTenantId(text);
  if (tenantId !== null) return tenantId;
  throw new InvalidArgumentError('It must be 1 to 64 of A-Z, a-z, 0-9, _ and -.');
}

export function toOrderId(text: string): OrderId {
  const orderId = parseOrderId(text);
  if (orderId !== null) return orderId;
  throw new InvalidArgumentError('It must be an order’s id, a UUID.');
}

export function toCommandId(text: string): CommandId {
  const commandId = parseCommandId(text);
  if (commandId !== null) return commandId;
  throw new InvalidArgumentError('It must be 1 to 255 visible characters.');
}

export function toCount(max: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= max) return count;
    throw new InvalidArgumentError(`It must be a whole number, 1 to ${max}.`);
  };
}

/** A verb with its examples at the end of its --help. */
export function describeVerb(name: string, description: string, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  $ npx order-center ${example}`);
  return new Command(name).description(description).addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
