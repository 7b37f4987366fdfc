/** @file What a run says of its input before it works on it: pairs, findings, tensors without a use. */
import { type Finding, findingLine } from "../data/checks/finding.ts";
import { type ExampleKind, nouns } from "../data/example-kind.ts";
import type { Dataset, TrainingSet } from "./dataset.ts";
import type { TrainReporter } from "./reporter.ts";

export function reportDataset<K extends ExampleKind>(
  { train, eval: held, splitBy }: Dataset<K>,
  reporter: TrainReporter,
): void {
  const { counts, kind }: TrainingSet = train;
  reporter.note(
    `${counts.records} training ${nouns[kind]}s, ${held?.counts.records ?? 0} held out (${splitBy})`,
  );
}

export function reportFindings(findings: readonly Finding[], reporter: TrainReporter): void {
  for (const finding of findings) reporter.note(findingLine(finding));
}

export function reportUnused(unused: readonly string[], reporter: TrainReporter): void {
  if (unused.length === 0) return;
  const shown = unused.slice(0, 10).join(", ");
  reporter.note(
    `${unused.length} tensors of the checkpoint are not used: ${shown}${unused.length > 10 ? ", ..." : ""}`,
  );
}
