/**
 * @file How many tokens a whole model's steps compute at once: as many as --batch-tokens says, fewer where the stated
 * memory budget asks for it. A function of the examples, the arguments and that budget, never of free memory: a step's
 * gradients are sums over its micro-batches, so another cut gives other bits.
 */
import { shapeOf } from "../data/forest.ts";
import { InputError } from "../errors.ts";
import { formatBytes } from "../gpu/errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { rowsOfEveryChoice } from "../kernels/variants.ts";
import type { Example } from "./example-sets.ts";
import { type MicroBatch, microBatchesOf, rewardItem } from "./micro-batches.ts";
import type { ModelTrainer } from "./model-trainer.ts";
import type { TrainOptions } from "./options.ts";
import type { RewardItem } from "./rewards/model-reward.ts";
import { fittingBatchTokens } from "./run-batches.ts";

export interface MemoryPlan {
  /** Tokens of a micro-batch, at most; an example that has more is one of its own. */
  readonly microTokens: number;
  /** Bytes that the driver will have given out at the highest, as foretold: in use, or kept in the pool for later. */
  readonly peakBytes: number;
  /** What a step dispatches. */
  readonly pipelines: readonly KernelVariant[];
}

/** Of the examples by length, so many from each end are looked at. */
const looked = 512;

/**
 * Goes through micro-batches of the run without computing them, and takes the largest budget of tokens that fits.
 * @throws InputError naming the record that does not fit by itself
 */
export function planMemory<E extends Example>(trainer: ModelTrainer<E>): MemoryPlan {
  const { gpu, examples, options } = trainer;
  const items = examples.train.map(rewardItem);
  const sample = extremes(items);
  const longest = sample.reduce((a, b) => (tokensOf(items[b]!) > tokensOf(items[a]!) ? b : a));
  const most = tokensOf(items[longest]!);
  trainer.parts.model.backbone.reserve(longestPath([...examples.train, ...examples.eval]));
  const wanted = Math.min(options.batchTokens, mostOfStep(items, options));
  let microTokens = fittingBatchTokens(trainer.parts.model.backbone, wanted);
  for (;;) {
    const parts = extremeParts(items, sample, microTokens);
    const { peak, held, pipelines } = gpu.rehearse(() => {
      for (const part of parts) trainer.rehearse(part, microTokens);
    });
    if (held <= gpu.memoryBudget) return { microTokens, peakBytes: held, pipelines };
    // Below the longest example's tokens, that one's micro-batch stays as it is.
    if (microTokens <= most) {
      if (peak > gpu.memoryBudget)
        throw doesNotFit(gpu, examples.train[longest]?.record.where ?? "", most, peak);
      // The pool gives back what a step does not use, and creates it again in the next: slower, but it fits.
      return { microTokens, peakBytes: gpu.memoryBudget, pipelines };
    }
    microTokens = Math.max(most, Math.floor((microTokens * 3) / 4));
  }
}

/** Tokens that a step can have: of so many longest examples. */
function mostOfStep(
  items: readonly RewardItem[],
  { batchSize, gradientAccumulationSteps }: Pick<TrainOptions, "batchSize" | "gradientAccumulationSteps">,
): number {
  const tokens = items.map(tokensOf).sort((a, b) => b - a);
  return tokens.slice(0, batchSize * gradientAccumulationSteps).reduce((sum, n) => sum + n, 0);
}

/** The longest and the shortest. */
function extremes(items: readonly RewardItem[]): number[] {
  const tokens = items.map(tokensOf);
  const order = items.map((_, i) => i).sort((a, b) => tokens[b]! - tokens[a]!);
  return order.length <= 2 * looked ? order : [...order.slice(0, looked), ...order.slice(-looked)];
}

const longestPath = (examples: readonly Example[]) =>
  examples.reduce((most, { item }) => Math.max(most, ...item.sequences.map((ids) => ids.length)), 1);

/** A shared prompt counts once. */
const tokensOf = (item: RewardItem) => shapeOf(item).tokens;

/**
 * The micro-batches of the most rows and of the most sequences; and, since few rows may have kernels of their own, for
 * each such number the one that comes next to it, where examples are that short.
 */
function extremeParts(items: readonly RewardItem[], sample: readonly number[], tokens: number): MicroBatch[] {
  const partsOf = (indices: readonly number[], most: number) =>
    microBatchesOf(
      indices.map((i) => items[i]!),
      most,
    ).map((part) => ({ ...part, examples: part.examples.map((i) => indices[i]!) }));
  const parts = partsOf(sample, tokens);
  const few = rowsOfEveryChoice.flatMap((most) => {
    const short = sample.filter((i) => tokensOf(items[i]!) <= most);
    return short.length === 0 ? [] : [largest(partsOf(short, most), rowsIn)];
  });
  return [largest(parts, rowsIn), largest(parts, ({ sequences }) => sequences.length), ...few];
}

const rowsIn = ({ batch }: MicroBatch) => batch.rows;

const largest = (parts: readonly MicroBatch[], size: (part: MicroBatch) => number) =>
  parts.reduce((a, b) => (size(b) > size(a) ? b : a));

function doesNotFit(gpu: Gpu, where: string, tokens: number, peak: number): InputError {
  return new InputError(
    `${where}: its ${tokens} tokens with what the model holds need ${formatBytes(peak)} at once, and --memory-budget allows ${formatBytes(gpu.memoryBudget)}. Lower --max-length, use --gradient-checkpointing or --trainable lora, or raise --memory-budget where the device has more`,
  );
}
