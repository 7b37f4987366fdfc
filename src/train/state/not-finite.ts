/** @file What is said when a number stops being finite: at which step, on which rows, and which weights are left. */
import { RmtrainError } from "../../errors.ts";
import type { Example } from "../example-sets.ts";
import type { TrainOptions } from "../options.ts";
import { batches, planSteps } from "../plan.ts";
import { allFinite, type Trainer, type TrainerState } from "../trainer.ts";

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

/** What was last saved, or what the run began with. */
export interface GoodState {
  readonly step: number;
  readonly state: () => Promise<TrainerState>;
}

export interface Failed {
  readonly train: readonly Example[];
  readonly options: TrainOptions;
  readonly good: GoodState;
  /** Its folder, where it has been saved. */
  readonly checkpoint: string | undefined;
}

/**
 * The error in words. AdamW writes nothing at a step whose loss or norm is not finite, so the weights are still those of
 * the step before; weights that a finite gradient took past the largest f32 are replaced by the last good ones.
 */
export async function explainNotFinite(
  error: NotFiniteError,
  trainer: Trainer,
  failed: Failed,
): Promise<RmtrainError> {
  const { good, checkpoint, train } = failed;
  const isGood = allFinite(await trainer.weights());
  if (!isGood) trainer.load(await good.state(), good.step);
  // Weights that are not finite make the next step's loss so: they left the numbers in the step before.
  const step = !isGood && error.what.startsWith("The loss") ? error.step - 1 : error.step;
  const what = isGood ? error.what : "The weights were";
  const left = isGood ? step - 1 : good.step;
  const indices = batches(train.length, planSteps(train.length, failed.options), failed.options, step - 1);
  const named = await worst(trainer, failed, indices.next().value ?? new Int32Array());
  const saved =
    checkpoint === undefined
      ? "no state had been saved yet"
      : `the last saved state, which is good, is ${checkpoint}`;
  const inHalves =
    failed.options.precision === "f32"
      ? ""
      : ` With --precision ${failed.options.precision}, what lies beyond 65,504 in a linear layer is Inf too; --precision f32 shows whether it was that.`;
  return new RmtrainError(
    `${what} not finite at step ${step}; training stopped there with the weights of step ${left}, and ${saved}. ` +
      `${named} Lower --lr, or look for extreme margins in the data.${inHalves}`,
    { cause: error },
  );
}

/** The step's pairs with the largest losses under the weights that are left, those that are not finite first. */
async function worst(trainer: Trainer, failed: Failed, indices: Int32Array): Promise<string> {
  const losses = await trainer.losses(indices);
  const examples = [...indices].map((i, n) => {
    const size = Math.fround(losses[n] ?? Number.NaN);
    return { example: failed.train[i]!, loss: Number.isFinite(size) ? size : Number.POSITIVE_INFINITY };
  });
  examples.sort((a, b) => (a.loss === b.loss ? 0 : b.loss - a.loss));
  const named = examples.slice(0, mostNamed).map(({ example, loss }) => {
    const margin = "margin" in example && example.margin !== 0 ? `, margin ${example.margin}` : "";
    return `${example.record.where} (loss ${Number.isFinite(loss) ? loss.toPrecision(4) : "not finite"}${margin})`;
  });
  return `Of that step's ${indices.length} ${failed.train[0] !== undefined && "margin" in failed.train[0] ? "pairs" : "records"}, the worst under these weights: ${named.join(", ")}.`;
}
