import { describe } from 'vitest';
import { batchesContract } from './contract/batches.ts';
import { documentsContract } from './contract/documents.ts';
import { dueRowsContract } from './contract/due-rows.ts';
import { parkingContract } from './contract/parking.ts';
import { parkingWithoutRowsContract } from './contract/parking-without-rows.ts';
import { standingsContract } from './contract/standings.ts';
import { openTestedStore, type ReadStoreUnderTest } from './contract/tested-store.ts';

/** What every read store promises. Each test has empty views. */
export function readStoreContract(name: string, open: () => Promise<ReadStoreUnderTest>): void {
  parkingContract(name, open);
  describe(`read store: ${name}`, () => {
    const tested = openTestedStore(open);
    documentsContract(tested);
    batchesContract(tested);
    dueRowsContract(tested);
    standingsContract(tested);
    parkingWithoutRowsContract(tested);
  });
}
