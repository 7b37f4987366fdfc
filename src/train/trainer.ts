/**
 * @file What the loop needs of something that learns: steps on examples named by index, metrics, the state that the next
 * steps depend on. The head on cached features is one, a whole model another.
 */
import type { PairMetrics, PairRewards } from "./evaluate.ts";

/** Values of one parameter on the host. */
export interface HostTensor {
  readonly rows: number;
  readonly cols: number;
  /** [rows, cols] */
  readonly values: Float32Array<ArrayBuffer>;
}

/** By the parameters' names, in their order. */
export type Weights = ReadonlyMap<string, HostTensor>;

/** What training changes: the weights and the moments of their gradients, under the same names. */
export interface TrainerState {
  readonly weights: Weights;
  readonly m: Weights;
  readonly v: Weights;
}

/** Means over the examples of one batch. */
export interface BatchMetrics {
  readonly pairs: number;
  /** Pairs that have a right answer: those of the accuracy. */
  readonly decided: number;
  readonly metrics: PairMetrics;
  /** What the reward says of itself, such as "logps/chosen": means over the batch. */
  readonly own?: Readonly<Record<string, number>> | undefined;
}

export interface StepMetrics {
  /** One for each of the batches that made the step. */
  readonly batches: readonly BatchMetrics[];
  readonly gradNorm: number;
}

/** The held-out examples under the present weights. */
export interface Evaluated {
  readonly metrics: PairMetrics;
  /** Of pairs; undefined for examples of another kind. */
  readonly rewards: PairRewards | undefined;
}

export interface Trainer extends Disposable {
  /** Whether there is something to evaluate on. */
  readonly holdsOut: boolean;
  /**
   * Records one step on these training examples: rewards, loss, gradient; then AdamW. A step whose loss or gradient is
   * not finite, and all after it, leave the weights as they are. Call `takeMetrics` at least every `logEvery` steps.
   * @param headLr the reward head's rate, where more than the head learns
   */
  step(indices: Int32Array, lr: number, headLr: number): void | Promise<void>;
  /**
   * The metrics of the steps since the last call.
   * @throws NotFiniteError with the step at which the loss or the gradient stopped being finite
   */
  takeMetrics(): Promise<StepMetrics[]>;
  /** The present weights. */
  weights(): Promise<Weights>;
  /** Everything that the next steps depend on. */
  state(): Promise<TrainerState>;
  /** Goes on from a state that `step` steps led to. */
  load(state: TrainerState, step: number): void;
  /**
   * @param step steps that led to the present weights
   * @returns undefined where nothing is held out
   * @throws RmtrainError naming the held-out record whose reward is not finite
   */
  evaluate(step: number): Promise<Evaluated | undefined>;
  /** Losses of these training examples under the present weights; a rest of the step's mean, such as a penalty, included. */
  losses(indices: Int32Array): Promise<number[]>;
}

export function allFinite(weights: Weights): boolean {
  for (const { values } of weights.values()) if (!values.every(Number.isFinite)) return false;
  return true;
}
