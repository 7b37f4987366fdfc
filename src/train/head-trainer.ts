/**
 * @file The reward head on cached features: one training step, rewards under the current head, metrics. Everything
 * stays on the device until it is asked for.
 */
import { RmtrainError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { gatherRows } from "../kernels/embedding.ts";
import { linear } from "../kernels/linear.ts";
import { linearWeightGradient } from "../kernels/linear-gradient.ts";
import { metricColumns, pairwiseLogistic } from "../kernels/pairwise-logistic.ts";
import { headName } from "../model/reward-head.ts";
import { ParameterArena } from "../tensor/parameters.ts";
import { createTensor, readTensor, type Tensor, uploadTensor } from "../tensor/tensor.ts";
import type { PairMetrics } from "./evaluate.ts";
import { Optimizer } from "./optimizer.ts";
import type { TrainOptions } from "./options.ts";

/** One step's pairs as rows of the feature table. */
export interface StepRows {
  /** [2 n] all chosen, then all rejected. */
  readonly rows: Int32Array;
  /** [n] */
  readonly margins: Float32Array;
}

export interface StepMetrics {
  readonly pairs: number;
  readonly metrics: PairMetrics;
  readonly gradNorm: number;
}

type Settings = Pick<
  TrainOptions,
  "batchSize" | "weightDecay" | "maxGradNorm" | "centerRewardsCoefficient" | "logEvery"
>;

/** Most rows of features that are turned into rewards at once. */
const mostRewardRows = 16_384;

export class HeadTrainer implements Disposable {
  readonly #arena: ParameterArena;
  readonly #optimizer: Optimizer;
  /** [logEvery, metrics]: a row for each step since the last reading. */
  readonly #metrics: Tensor;
  /** Pairs of those steps. */
  readonly #pending: number[] = [];
  #step = 0;

  /**
   * @param features [n, H] f32
   * @param head [H]
   */
  constructor(
    readonly gpu: Gpu,
    readonly features: Tensor,
    head: Float32Array,
    readonly settings: Settings,
  ) {
    this.#arena = new ParameterArena(gpu, [{ name: headName, rows: 1, cols: features.cols }]);
    this.#arena.write("master", headName, head);
    this.#optimizer = new Optimizer(gpu, this.#arena);
    this.#metrics = createTensor(gpu, settings.logEvery, metricColumns.count, "metrics", {
      persistent: true,
    });
  }

  /** Records one step on `n` pairs: rewards, loss, gradient, AdamW. Call `takeMetrics` at least every `logEvery` steps. */
  step({ rows, margins }: StepRows, lr: number): void {
    using _scope = this.gpu.scope();
    const { gpu, settings } = this;
    const capacity = 2 * settings.batchSize;
    const x = gatherRows(gpu, this.features, uploadTensor(gpu, rows, 1, "pair rows", { capacity }));
    const rewards = linear(gpu, x, this.#arena.param(headName));
    const row = this.#pending.length;
    const gradient = pairwiseLogistic(gpu, rewards, {
      margins: uploadTensor(gpu, margins, 1, "margins", { capacity: settings.batchSize }),
      centering: settings.centerRewardsCoefficient,
      metrics: this.#metrics,
      row,
    });
    linearWeightGradient(gpu, gradient, x, this.#arena.gradient(headName));
    this.#step++;
    this.#optimizer.step({ ...settings, lr, step: this.#step, metrics: this.#metrics, row });
    this.#pending.push(margins.length);
  }

  /**
   * The metrics of the steps since the last call.
   * @throws RmtrainError naming the step at which the loss or the gradient stopped being finite
   */
  async takeMetrics(): Promise<StepMetrics[]> {
    const values = await readTensor(this.gpu, this.#metrics);
    const bad = await this.#optimizer.badStep();
    if (bad !== undefined) {
      throw new RmtrainError(
        `The loss or its gradient was not finite at step ${bad}; training stopped there. Lower --lr, or look for extreme margins in the data.`,
      );
    }
    return this.#pending.splice(0).map((pairs, i) => {
      const at = (column: number) => values[i * metricColumns.count + column] ?? Number.NaN;
      const metrics = {
        loss: at(metricColumns.loss),
        accuracy: at(metricColumns.accuracy),
        margin: at(metricColumns.margin),
        min_reward: at(metricColumns.minReward),
        mean_reward: at(metricColumns.meanReward),
        max_reward: at(metricColumns.maxReward),
      };
      return { pairs, metrics, gradNorm: at(metricColumns.gradNorm) };
    });
  }

  /** Rewards of feature rows under the current head, in order. */
  async rewards(rows: Int32Array): Promise<Float32Array<ArrayBuffer>> {
    const rewards = new Float32Array(rows.length);
    const fitting = Math.floor(this.gpu.facts.limits.maxBinding / this.features.rowBytes);
    const count = Math.max(1, Math.min(mostRewardRows, fitting));
    for (let at = 0; at < rows.length; at += count) {
      rewards.set(await this.#rewardsOf(rows.subarray(at, at + count)), at);
    }
    return rewards;
  }

  /** The current head [H]. */
  async head(): Promise<Float32Array<ArrayBuffer>> {
    return Float32Array.from(await this.#arena.read("master", headName));
  }

  [Symbol.dispose](): void {
    this.#optimizer.destroy();
    this.#arena.destroy();
    this.gpu.release(this.#metrics.buffer);
  }

  #rewardsOf(rows: Int32Array): Promise<Float32Array> {
    using _scope = this.gpu.scope();
    const x = gatherRows(this.gpu, this.features, uploadTensor(this.gpu, rows, 1, "feature rows"));
    return readTensor(this.gpu, linear(this.gpu, x, this.#arena.param(headName)));
  }
}
