import { describe } from 'vitest';

import { appendScenarios, refusalScenarios } from './contract/append.ts';
import { answerScenarios, claimScenarios, commandScenarios } from './contract/commands.ts';
import type { OpenStore } from './contract/harness.ts';
import { lifecycleScenarios } from './contract/lifecycle.ts';
import { logScenarios, streamScenarios } from './contract/reading.ts';
import { rehearsalScenarios } from './contract/rehearse.ts';

/** What every event store adapter must satisfy; README.md maps the known scenarios of such stores to these tests. */
export function eventStoreContract(name: string, open: OpenStore): void {
  describe(`event store on ${name}`, () => {
    appendScenarios(open);
    refusalScenarios(open);
    commandScenarios(open);
    claimScenarios(open);
    answerScenarios(open);
    rehearsalScenarios(open);
    streamScenarios(open);
    logScenarios(open);
    lifecycleScenarios(open);
  });
}
