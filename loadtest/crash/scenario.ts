import type { FaultReport, Skipped } from '../system/fault-report.ts';

export type ScenarioContext = {
  readonly seed: number;
  /** Placements; null: as many as the scenario likes. */
  readonly orders: number | null;
  readonly olistDir: string | null;
  /** Whether the folders stay after the run. */
  readonly keep: boolean;
  readonly say: (line: string) => void;
};

export type Scenario = {
  readonly id: string;
  readonly title: string;
  readonly run: (context: ScenarioContext) => Promise<FaultReport | Skipped>;
};
