/**
 * @file The reward head on cached features: a training step of one or more batches, rewards under a head, metrics.
 * Everything stays on the device until it is asked for.
 */
import type { Gpu } from "../gpu/gpu.ts";
import { gatherRows } from "../kernels/embedding.ts";
import { headName } from "../model/reward-head.ts";
import { type ArenaRole, ParameterArena } from "../tensor/parameters.ts";
import { readTensor, type Tensor, uploadTensor } from "../tensor/tensor.ts";
import { readArena, writeState } from "./arena-state.ts";
import { MetricsTable } from "./metrics-table.ts";
import { type HeadObjective, headObjective, type ObjectiveOptions } from "./objectives.ts";
import { Optimizer } from "./optimizer.ts";
import type { TrainOptions } from "./options.ts";
import type { StepMetrics, TrainerState, Weights } from "./trainer.ts";

/** A batch of pairs as rows of the feature table. */
export interface StepRows {
  /** [2 n] all chosen, then all rejected. */
  readonly rows: Int32Array;
  /** [n] */
  readonly margins: Float32Array;
  /** [n] Probabilities that the chosen reply is the better one. */
  readonly labels: Float32Array;
}

type Settings = ObjectiveOptions &
  Pick<TrainOptions, "batchSize" | "gradientAccumulationSteps" | "weightDecay" | "maxGradNorm" | "logEvery">;

/** Most rows of features that are turned into rewards at once. */
const mostRewardRows = 16_384;

export class HeadTrainer implements Disposable {
  readonly #objective: HeadObjective;
  readonly #arena: ParameterArena;
  readonly #optimizer: Optimizer;
  readonly #metrics: MetricsTable;
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
    this.#objective = headObjective(settings);
    this.#arena = new ParameterArena(gpu, [{ name: headName, rows: 1, cols: features.cols }]);
    this.#arena.write("master", headName, head);
    this.#optimizer = new Optimizer(gpu, this.#arena);
    this.#metrics = new MetricsTable(gpu, settings.logEvery * settings.gradientAccumulationSteps);
  }

  /**
   * Records one step on the pairs of `batches`, computed one after another: rewards, loss, gradient; then AdamW.
   * Call `takeMetrics` at least every `logEvery` steps.
   */
  step(batches: readonly StepRows[], lr: number): void {
    const { gpu, settings } = this;
    const { row, tensor } = this.#metrics;
    const total = batches.reduce((sum, { margins }) => sum + margins.length, 0);
    for (const [i, batch] of batches.entries()) this.#addGradient(batch, total, row + i, i > 0);
    this.#step++;
    using _scope = gpu.scope();
    const metrics = { metrics: tensor, row, losses: batches.length };
    this.#optimizer.step({ ...settings, lr, step: this.#step, ...metrics });
    this.#metrics.add(
      batches.map(({ labels }) => ({
        pairs: labels.length,
        decided: labels.filter((p) => p !== 0.5).length,
      })),
    );
  }

  #addGradient({ rows, margins, labels }: StepRows, total: number, row: number, accumulate: boolean): void {
    const { gpu, settings } = this;
    using _scope = gpu.scope();
    const capacity = 2 * settings.batchSize;
    const x = gatherRows(gpu, this.features, uploadTensor(gpu, rows, 1, "pair rows", { capacity }));
    const { reward, loss, constants } = this.#objective;
    const rewards = reward.forward(gpu, x, this.#arena.param(headName));
    const targets = {
      margins: uploadTensor(gpu, margins, 1, "margins", { capacity: settings.batchSize }),
      labels: uploadTensor(gpu, labels, 1, "labels", { capacity: settings.batchSize }),
      total,
      centering: settings.centerRewardsCoefficient,
      metrics: this.#metrics.tensor,
      row,
    };
    const gradient = loss.record(gpu, rewards, targets, constants);
    reward.backward(gpu, gradient, x, this.#arena.gradient(headName), accumulate);
  }

  /**
   * The metrics of the steps since the last call.
   * @throws NotFiniteError with the step at which the loss or the gradient stopped being finite
   */
  takeMetrics(): Promise<StepMetrics[]> {
    return this.#metrics.take(this.#optimizer);
  }

  /**
   * Rewards of feature rows, in order.
   * @param head [H]; default: the current one
   */
  async rewards(rows: Int32Array, head?: Float32Array): Promise<Float32Array<ArrayBuffer>> {
    const rewards = new Float32Array(rows.length);
    const fitting = Math.floor(this.gpu.facts.limits.maxBinding / this.features.rowBytes);
    const count = Math.max(1, Math.min(mostRewardRows, fitting));
    for (let at = 0; at < rows.length; at += count) {
      rewards.set(await this.#rewardsOf(rows.subarray(at, at + count), head), at);
    }
    return rewards;
  }

  weights(): Promise<Weights> {
    return readArena(this.#arena, "master");
  }

  /** The current head [H]. */
  async head(): Promise<Float32Array<ArrayBuffer>> {
    return Float32Array.from(await this.#arena.read("master", headName));
  }

  /** Everything that the next steps depend on. */
  async state(): Promise<TrainerState> {
    const read = (role: ArenaRole) => readArena(this.#arena, role);
    return { weights: await read("master"), m: await read("m"), v: await read("v") };
  }

  /** Goes on from a state that `step` steps led to. */
  load(state: TrainerState, step: number): void {
    writeState(this.#arena, state);
    this.#step = step;
  }

  [Symbol.dispose](): void {
    this.#optimizer.destroy();
    this.#arena.destroy();
    this.#metrics.destroy();
  }

  #rewardsOf(rows: Int32Array, head: Float32Array | undefined): Promise<Float32Array> {
    using _scope = this.gpu.scope();
    const weight =
      head === undefined ? this.#arena.param(headName) : uploadTensor(this.gpu, head, head.length, headName);
    const x = gatherRows(this.gpu, this.features, uploadTensor(this.gpu, rows, 1, "feature rows"));
    return readTensor(this.gpu, this.#objective.reward.forward(this.gpu, x, weight));
  }
}
