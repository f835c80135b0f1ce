import type { Reporter, TestCase } from 'vitest/node';

/** Closes every run with `N passed, N failed` (and `, N skipped`, each skip's reason above it). */
export default class ClosingLine implements Reporter {
  private readonly counts = { passed: 0, failed: 0, skipped: 0 };
  private readonly skips = new Map<string, string>();

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === 'pending') return;
    this.counts[result.state] += 1;
    if (result.state === 'skipped') this.skips.set(test.fullName, result.note ?? 'no reason given');
  }

  onTestRunEnd(modules: readonly unknown[], unhandledErrors: readonly unknown[]): void {
    const { passed, skipped } = this.counts;
    // A file that cannot be loaded and an error outside any test are failures too, though no test case reports them.
    const broken = (modules as readonly { errors(): readonly unknown[] }[]).filter((m) => m.errors().length > 0).length;
    const failed = this.counts.failed + broken + unhandledErrors.length;
    for (const [name, reason] of this.skips) process.stdout.write(`skipped: ${name}: ${reason}\n`);
    process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  }
}
