/** @file What a run says of its input before it works on it: pairs, what was left out or cut, tensors without a use. */
import type { Dataset } from "./dataset.ts";
import type { TrainReporter } from "./reporter.ts";

export function reportDataset(
  { train, eval: held, splitBy }: Dataset,
  maxLength: number,
  reporter: TrainReporter,
): void {
  reporter.note(`${train.counts.records} training pairs, ${held?.counts.records ?? 0} held out (${splitBy})`);
  for (const [name, set] of [
    ["training", train],
    ["held-out", held],
  ] as const) {
    if (set === undefined) continue;
    const { dropped, truncated, identical } = set.counts;
    if (dropped > 0)
      reporter.note(
        `${dropped} ${name} pairs left out: a side is longer than --max-length ${maxLength} (or use --truncate left|right)`,
      );
    if (truncated.some((n) => n > 0)) {
      reporter.note(
        `${name}: ${truncated[0] ?? 0} chosen and ${truncated[1] ?? 0} rejected sides cut to ${maxLength} tokens`,
      );
    }
    if (identical > 0) reporter.note(`${identical} ${name} pairs have equal sides and teach nothing`);
  }
}

export function reportUnused(unused: readonly string[], reporter: TrainReporter): void {
  if (unused.length === 0) return;
  const shown = unused.slice(0, 10).join(", ");
  reporter.note(
    `${unused.length} tensors of the checkpoint are not used: ${shown}${unused.length > 10 ? ", ..." : ""}`,
  );
}
