/**
 * @file What a kind of examples (pairs, single rows, ranked lists) means to a step and to an evaluation: which sequence's
 * reward stands where, what the loss is told beside rewards, and what the host makes of rewards. Where rewards come from is
 * not its matter.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { PairMetrics, PairRewards } from "../evaluate.ts";
import type { Example } from "../example-sets.ts";
import type { BatchCounts } from "../metrics-table.ts";
import type { RewardItem } from "../rewards/model-reward.ts";

/** Where the loss of a micro-batch goes. */
export interface LossPlace {
  /** What the loss is a mean over: `total` of the whole step's examples. */
  readonly total: number;
  /** [rows, metricColumns.count] f32, of which row `row` is written. */
  readonly metrics: Tensor;
  readonly row: number;
  /** Examples that a tensor of one row for each has room for. */
  readonly capacity: number;
  /** [1, 1] f32: the step's point of reference; undefined where the form has none. */
  readonly reference: Tensor | undefined;
}

export interface ExampleForm<E extends Example = Example> {
  /** Of these examples' sequences, one example after the other: row i of the rewards is that of sequence order[i]. */
  order(examples: readonly E[]): Int32Array;
  /** What the loss of these examples, a step's, is a mean over: as many as they are or, of texts, their tokens. */
  total(examples: readonly E[]): number;
  /**
   * Records the loss of a micro-batch.
   * @param rewards [n, 1] f32 in that order
   * @returns d loss / d rewards, [n, 1] f32
   */
  record(gpu: Gpu, rewards: Tensor, examples: readonly E[], place: LossPlace): Tensor;
  counts(examples: readonly E[]): BatchCounts;
  /**
   * @param rewards per example, of its sequences
   * @param reference the rewards' point of reference, where the form has one
   */
  metrics(examples: readonly E[], rewards: readonly Float32Array[], reference?: number): PairMetrics;
  /** The rewards of pairs by side; undefined for other kinds. */
  sides(rewards: readonly Float32Array[]): PairRewards | undefined;
  /**
   * One item of one sequence for each example: max(0, mean reward) of those of a step's examples, without a gradient, is
   * the step's point of reference. Undefined: the loss has none.
   */
  readonly references?: References;
}

/** All of a form's references, of training examples and then of held-out ones. */
export const referenceItems = ({ references }: ExampleForm): RewardItem[] =>
  references === undefined ? [] : [...references.train, ...references.eval];

export interface References {
  readonly train: readonly RewardItem[];
  readonly eval: readonly RewardItem[];
}
