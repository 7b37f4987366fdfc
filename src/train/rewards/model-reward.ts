/**
 * @file How a whole model makes rewards of packed sequences. The loop and the losses see rewards [n, 1] and hand back
 * their gradient; whether they came from a head on the last hidden state or from log-probabilities of the reply is this
 * interface's secret.
 */
import type { Item } from "../../data/pack.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { WarmUpProgress } from "../../gpu/warm-up.ts";
import type { PackedBatch } from "../../kernels/packed-batch.ts";
import type { Backbone } from "../../model/backbone.ts";
import type { ModelFolder } from "../../model/model-folder.ts";
import type { InputRecipe } from "../../model/recipe.ts";
import type { LinearWeights } from "../../model/weights.ts";
import type { Tape } from "../../tensor/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { TrainOptions } from "../options.ts";
import type { TrainReporter } from "../reporter.ts";
import type { RewardName } from "./reward.ts";

/** One sequence, prompt included. */
export interface RewardSequence {
  /** The very array of the dataset's item, in every step and evaluation. */
  readonly ids: Int32Array;
  /** Index in `ids` of the reply's first token; 0 where there is no prompt. */
  readonly replyStart: number;
}

/** One micro-batch, packed and run through the backbone. */
export interface RewardInput {
  readonly batch: PackedBatch;
  /** [N] in the batch's order. */
  readonly sequences: readonly RewardSequence[];
  /** [n] Row i of the rewards is the reward of sequence `order[i]`. Pairs: all chosen, then all rejected. */
  readonly order: Int32Array;
  /** [T, H] f32, after the final norm. The reward is the last to read it. */
  readonly hidden: Tensor;
  /** Rows that tensors of T rows have room for. */
  readonly capacity: number;
  /** Rows that tensors of n rows have room for. */
  readonly rewardCapacity: number;
  /** Only in training steps. */
  readonly step?: {
    /** Examples (pairs, rows, lists) of the whole step: what a mean over the step divides by. */
    readonly total: number;
    /** The optimiser's, from 1 on: what is drawn at random is drawn anew in each. */
    readonly number: number;
    /** [rows, columns.length] f32, of which row `row` takes the reward's own metrics; absent where it has none. */
    readonly metrics: Tensor | undefined;
    readonly row: number;
  };
}

/** What of a model makes rewards: a trainable one's in a run, a loaded one's where it only scores. */
export interface RewardingModel {
  readonly gpu: Gpu;
  readonly backbone: Backbone;
  /** [1, H] f32, `score.weight`. */
  readonly head?: Tensor | undefined;
  /** [V, H], the vocabulary's head: the embedding itself where the model ties them. */
  readonly lmHead?: Tensor | undefined;
  /** The same with its low-rank update, where that learns. */
  readonly vocabulary?: LinearWeights | undefined;
}

/** Rewards of one run; opened before the first step, disposed after the last. */
export interface ModelReward extends Disposable {
  /** Names of its own metrics (such as "logps/chosen"): means over a micro-batch's examples, in this order. */
  readonly columns: readonly string[];
  /**
   * Records the rewards of a batch and, on the tape, how their gradient goes on to `hidden` and to the parameters. A
   * term of the loss that only this reward can see (the negative log-likelihood of the chosen replies) is added to the
   * gradients there, divided by `step.total`.
   * @param tape undefined: an evaluation
   * @returns [n, 1] f32
   */
  forward(model: RewardingModel, tape: Tape | undefined, input: RewardInput): Tensor;
}

/** What a reward may need to open. */
export interface RewardContext {
  readonly gpu: Gpu;
  /** The base. */
  readonly folder: ModelFolder;
  /** At step 0, also where a run is resumed: the state is loaded after this. */
  readonly model: RewardingModel;
  readonly options: TrainOptions;
  /** How the trained model reads its input. */
  readonly recipe: InputRecipe;
  /** Every sequence that steps and evaluations will ask for, by item as they are packed. */
  readonly items: readonly RewardItem[];
  readonly reporter: TrainReporter;
}

export interface RewardItem extends Item {
  /** Per sequence; see RewardSequence. */
  readonly replyStarts: readonly number[];
}

/** A parametrisation as whole models can be trained by it. */
export interface ModelRewardKind {
  readonly name: RewardName;
  /** What turns hidden states into rewards: the head `score.weight`, or the vocabulary's. Also the saved architecture. */
  readonly head: "score" | "vocabulary";
  open(context: RewardContext): Promise<ModelReward>;
  /**
   * The rewards that `rmtrain score` gives under a saved model, by its very path, `[item][sequence]`. The training
   * model has left the device.
   */
  score(
    gpu: Gpu,
    saved: SavedModel,
    items: readonly RewardItem[],
    options: TrainOptions,
    onCompiled?: WarmUpProgress,
  ): Promise<Float32Array[]>;
}

/** What a run has written. */
export interface SavedModel {
  /** A model's folder: the run's own or, with an adapter, the base's. */
  readonly dir: string;
  /** The folder of the low-rank updates to it. */
  readonly adapter?: string;
}
