/**
 * @file Single replies, each wanted or not: KTO's examples. The loss's point of reference is the mean reward of mismatched
 * rows; which prompt goes with which reply is fixed by the order of the set (src/data/mismatch.ts), so that a reference
 * model's log-probabilities and features are computed once.
 */
import { mismatchedInBlocks } from "../../data/mismatch.ts";
import { InputError } from "../../errors.ts";
import { uploadTensor } from "../../tensor/tensor.ts";
import type { LabelledRow } from "../example-sets.ts";
import { rewardItem } from "../micro-batches.ts";
import type { TrainOptions } from "../options.ts";
import { type RowLossOf, rowMetrics } from "../row-metrics.ts";
import type { ExampleForm, References } from "./form.ts";

export function rowForm(objective: RowLossOf, references: References): ExampleForm<LabelledRow> {
  const { loss, constants } = objective;
  return {
    references,
    total: (rows) => rows.length,
    order: (rows) => Int32Array.from(rows, (_, i) => i),
    record(gpu, rewards, rows, { capacity, reference, ...place }) {
      if (reference === undefined) throw new Error(`${loss.name} has no point of reference`);
      const wanted = Float32Array.from(rows, (row) => Number(row.wanted));
      const labels = uploadTensor(gpu, wanted, 1, "labels", { capacity });
      return loss.record(gpu, rewards, { labels, reference, ...place }, constants);
    },
    counts: (rows) => ({ pairs: rows.length, decided: rows.length }),
    metrics: (rows, rewards, reference = 0) =>
      rowMetrics(
        rewards.map((own) => own[0] ?? Number.NaN),
        rows.map(({ wanted }) => wanted),
        reference,
        objective,
      ),
    sides: () => undefined,
  };
}

/**
 * The mismatched rows of both sets.
 * @param block rows of a step, among which replies are exchanged
 * @param maxLength tokens of a sequence
 */
export function mismatchedRows(
  sets: { readonly train: readonly LabelledRow[]; readonly eval: readonly LabelledRow[] },
  block: number,
  maxLength: number,
): References {
  const items = (rows: readonly LabelledRow[]) =>
    rows.length === 0 ? [] : mismatchedInBlocks(rows, block, maxLength).map(rewardItem);
  return { train: items(sets.train), eval: items(sets.eval) };
}

/**
 * A point of reference is a mean over at least two rows.
 * @param count training rows @param held held-out rows
 * @throws InputError naming the step that would have one
 */
export function checkRows(
  count: number,
  held: number,
  { batchSize, gradientAccumulationSteps, loss, objective }: TrainOptions,
): void {
  const step = Math.min(batchSize * gradientAccumulationSteps, count);
  const why = `${loss ?? objective} measures rewards against those of mismatched rows, a prompt with the reply to another one, and takes at least two rows at once`;
  if (step < 2) throw new InputError(`--batch-size ${batchSize} of ${count} rows: ${why}`);
  if (count % step === 1)
    throw new InputError(
      `--batch-size ${batchSize}: of ${count} rows the last step of an epoch would have one: ${why}. Take another --batch-size`,
    );
  if (held === 1) throw new InputError(`one held-out row alone: ${why}`);
}
