import { eventStoreContract } from './contract.ts';
import { openMemoryEventStore } from './memory/memory-event-store.ts';
import { newMemoryLog } from './memory/memory-log.ts';

eventStoreContract('memory', () => {
  const log = newMemoryLog();
  return Promise.resolve({
    store: openMemoryEventStore({ log }),
    second: () => Promise.resolve(openMemoryEventStore({ log })),
    close: () => Promise.resolve(),
  });
});
