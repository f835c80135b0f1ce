import { OperationalFailure } from '../../failures.ts';
import type { SchemaRegistry } from '../port.ts';

export type MemoryRegistry = SchemaRegistry & {
  /** From now on it does not answer, or does again. */
  setDown(isDown: boolean): void;
  /** How often it was asked for a schema. */
  asked(): number;
};

export function memoryRegistry(): MemoryRegistry {
  const ids = new Map<string, number>();
  const texts: string[] = [];
  let down = false;
  let asked = 0;
  const answer = <Answer>(of: () => Answer): Promise<Answer> => {
    if (!down) return Promise.resolve(of());
    return Promise.reject(new OperationalFailure('SCHEMA_REGISTRY_UNAVAILABLE', 'it is down', { retryable: true }));
  };
  return {
    register: (_, schema) =>
      answer(() => {
        const text = JSON.stringify(schema);
        const id = ids.get(text) ?? texts.push(text);
        ids.set(text, id);
        return id;
      }),
    schemaOf: (id) =>
      answer(() => {
        asked += 1;
        return texts[id - 1] ?? null;
      }),
    ping: () => answer(() => undefined),
    setDown: (isDown) => {
      down = isDown;
    },
    asked: () => asked,
  };
}
