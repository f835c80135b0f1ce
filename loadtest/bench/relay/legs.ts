/** Records a produce, of the relay and of its limit alike. */
export const batchMax = 1_000;

/** From which log to which topics. */
export type PublisherPlace = {
  readonly storeUrl: string;
  readonly kafkaUrl: string;
  readonly topicPrefix: string;
};

/** What one process published in one leg. */
export type LegAnswer = { readonly records: number; readonly ms: number; readonly cpuMicros: number };
