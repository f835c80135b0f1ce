import type { CliExit } from './order-center.ts';

/** What `order-center import olist --json` said. */
export type ImportReport = {
  readonly orders: number;
  readonly imported: number;
  readonly alreadyThere: number;
  readonly refused: number;
  /** One sentence for each thing that is not as it must be. */
  readonly problems: readonly string[];
};

type Printed = {
  readonly imported: number;
  readonly alreadyThere: number;
  readonly refused: Readonly<Record<string, string>>;
  readonly differences: readonly string[];
};

export function differencesOf({ code, stdout, stderr }: Omit<CliExit, 'signal'>): ImportReport {
  const printed = parsed(stdout);
  if (printed === null) {
    const problems = [`the import ended with ${code}: ${stderr.trim().slice(-500)}`];
    return { orders: 0, imported: 0, alreadyThere: 0, refused: 0, problems };
  }
  const { imported, alreadyThere, differences } = printed;
  const refused = Object.entries(printed.refused);
  const orders = imported + alreadyThere + refused.length;
  return {
    orders,
    imported,
    alreadyThere,
    refused: refused.length,
    problems: [
      ...refused.map(([reference, problem]) => `the import of ${reference} was refused: ${problem}`),
      ...differences.map((difference) => `the files and the views differ: ${difference}`),
      ...(code === 0 ? [] : [`the import ended with ${code}`]),
    ],
  };
}

function parsed(stdout: string): Printed | null {
  try {
    return JSON.parse(stdout) as Printed;
  } catch {
    return null;
  }
}
