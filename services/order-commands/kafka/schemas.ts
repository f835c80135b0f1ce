import type { WireSchemas } from '../../../schemas/wire/wire-schemas.ts';
import { noRegistry } from '../../../schemas/wire/wire-schemas.ts';

/** The schemas that records name, some of which a registry has to be asked for. */
export type CommandSchemas = WireSchemas & {
  /**
   * Resolves when what this value names is known, or is known to be unknown; at once where it was asked before.
   * @throws OperationalFailure SCHEMA_REGISTRY_UNAVAILABLE (retryable)
   */
  readonly learn: (value: Buffer | null) => Promise<void>;
};

/** Single-object encoding alone: nobody is asked. */
export const withoutRegistry: CommandSchemas = { ...noRegistry, learn: () => Promise.resolve() };
