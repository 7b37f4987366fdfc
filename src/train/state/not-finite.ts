/** @file What is said when a number stops being finite: at which step, on which rows, and which weights are left. */
import { RmtrainError } from "../../errors.ts";
import type { Pair } from "../dataset.ts";
import { pairMetrics } from "../evaluate.ts";
import type { HeadState, HeadTrainer } from "../head-trainer.ts";
import type { TrainOptions } from "../options.ts";
import { batches, planSteps } from "../plan.ts";

/** Pairs that a message names. */
const mostNamed = 5;

/** Something that training computes is NaN or infinite. `what` begins a sentence. */
export class NotFiniteError extends RmtrainError {
  constructor(
    readonly what: string,
    readonly step: number,
  ) {
    super(`${what} not finite at step ${step}`);
  }
}

export interface Failed {
  readonly train: readonly Pair[];
  readonly trainRows: readonly Int32Array[];
  readonly options: TrainOptions;
  /** What was last saved, or what the run began with. */
  readonly good: { readonly state: HeadState; readonly step: number };
  /** Its folder, where it has been saved. */
  readonly checkpoint: string | undefined;
}

/**
 * The error in words. AdamW writes nothing at a step whose loss or norm is not finite, so the head is still that of the
 * step before; a head that a finite gradient took past the largest f32 is replaced by the last good one.
 */
export async function explainNotFinite(
  error: NotFiniteError,
  trainer: HeadTrainer,
  failed: Failed,
): Promise<RmtrainError> {
  const { good, checkpoint, train } = failed;
  const isGood = (await trainer.head()).every(Number.isFinite);
  if (!isGood) trainer.load(good.state, good.step);
  // Weights that are not finite make the next step's loss so: they left the numbers in the step before.
  const step = !isGood && error.what.startsWith("The loss") ? error.step - 1 : error.step;
  const what = isGood ? error.what : "The head's weights were";
  const left = isGood ? step - 1 : good.step;
  const indices = batches(train.length, planSteps(train.length, failed.options), failed.options, step - 1);
  const named = await worst(trainer, failed, indices.next().value ?? new Int32Array());
  const saved =
    checkpoint === undefined
      ? "no state had been saved yet"
      : `the last saved state, which is good, is ${checkpoint}`;
  return new RmtrainError(
    `${what} not finite at step ${step}; training stopped there with the weights of step ${left}, and ${saved}. ` +
      `${named} Lower --lr, or look for extreme margins in the data.`,
    { cause: error },
  );
}

/** The step's pairs with the largest losses under the weights that are left, those that are not finite first. */
async function worst(trainer: HeadTrainer, failed: Failed, indices: Int32Array): Promise<string> {
  const { train, trainRows, options } = failed;
  const rows = Int32Array.from([...indices].flatMap((i) => [...trainRows[i]!]));
  const rewards = await trainer.rewards(rows);
  const pairs = [...indices].map((i, n) => {
    const pair = train[i]!;
    const sides = {
      chosen: rewards.subarray(2 * n, 2 * n + 1),
      rejected: rewards.subarray(2 * n + 1, 2 * n + 2),
    };
    const { loss } = pairMetrics(sides, [pair], options.centerRewardsCoefficient);
    const size = Math.fround(loss);
    return { pair, loss: Number.isFinite(size) ? size : Number.POSITIVE_INFINITY };
  });
  pairs.sort((a, b) => (a.loss === b.loss ? 0 : b.loss - a.loss));
  const named = pairs.slice(0, mostNamed).map(({ pair, loss }) => {
    const margin = pair.margin === 0 ? "" : `, margin ${pair.margin}`;
    return `${pair.record.where} (loss ${Number.isFinite(loss) ? loss.toPrecision(4) : "not finite"}${margin})`;
  });
  return `Of that step's ${indices.length} pairs, the worst under these weights: ${named.join(", ")}.`;
}
