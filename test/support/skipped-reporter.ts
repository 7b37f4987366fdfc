/** @file Prints every skipped test by name, with what is missing: a skip that nobody sees is a test that nobody runs. */
import type { Reporter, TestModule } from "vitest/node";

export class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests("skipped")].map(
        (test) => `  ${module.relativeModuleId}: ${test.fullName}`,
      ),
    );
    if (skipped.length === 0) return;
    const missing = process.env.RMTRAIN_SHARED === undefined ? " (RMTRAIN_SHARED is unset)" : "";
    process.stdout.write(`\n${skipped.length} tests skipped${missing}:\n${skipped.join("\n")}\n`);
  }
}
