/**
 * @file The reward head on cached features: a training step of one or more batches, rewards under a head, metrics.
 * Everything stays on the device until it is asked for.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { gatherRows } from "../kernels/embedding.ts";
import { addToMean } from "../kernels/row-loss.ts";
import { headName } from "../model/reward-head.ts";
import { type ArenaRole, ParameterArena } from "../tensor/parameters.ts";
import { createTensor, readTensor, type Tensor, uploadTensor } from "../tensor/tensor.ts";
import { readArena, writeState } from "./arena-state.ts";
import type { LossPlace } from "./forms/form.ts";
import { type BatchCounts, MetricsTable } from "./metrics-table.ts";
import { headObjective, type ObjectiveOptions, pairObjective } from "./objectives.ts";
import { Optimizer } from "./optimizer.ts";
import type { TrainOptions } from "./options.ts";
import type { HeadReward } from "./rewards/reward.ts";
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

/** A batch of examples of any kind. */
export interface StepExamples {
  /** [n] Rows of the feature table, in the order in which `record` takes their rewards. */
  readonly rows: Int32Array;
  /** Rows that tensors of them have room for. */
  readonly capacity: number;
  readonly counts: BatchCounts;
  /** Examples, over which the loss is a mean. */
  readonly examples: number;
  /** As ExampleForm's. @returns d loss / d rewards, [n, 1] f32 */
  record(gpu: Gpu, rewards: Tensor, place: Omit<LossPlace, "capacity">): Tensor;
}

type Settings = ObjectiveOptions &
  Pick<TrainOptions, "batchSize" | "gradientAccumulationSteps" | "weightDecay" | "maxGradNorm" | "logEvery">;

/** Most rows of features that are turned into rewards at once. */
const mostRewardRows = 16_384;

export class HeadTrainer implements Disposable {
  readonly #reward: HeadReward;
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
    this.#reward = headObjective(settings).reward;
    this.#arena = new ParameterArena(gpu, [{ name: headName, rows: 1, cols: features.cols }]);
    this.#arena.write("master", headName, head);
    this.#optimizer = new Optimizer(gpu, this.#arena);
    this.#metrics = new MetricsTable(gpu, settings.logEvery * settings.gradientAccumulationSteps);
  }

  /**
   * Records one step on the examples of `batches`, computed one after another: rewards, loss, gradient; then AdamW.
   * Call `takeMetrics` at least every `logEvery` steps.
   * @param references rows of the feature table: max(0, mean of their rewards) is the loss's point of reference
   */
  step(batches: readonly (StepRows | StepExamples)[], lr: number, references?: Int32Array): void {
    const { gpu, settings } = this;
    const { row, tensor } = this.#metrics;
    const own = batches.map((batch) => ("record" in batch ? batch : pairExamples(batch, settings)));
    const total = own.reduce((sum, { examples }) => sum + examples, 0);
    using _scope = gpu.scope();
    const reference = references && this.#reference(references);
    for (const [i, batch] of own.entries())
      this.#addGradient(batch, { total, metrics: tensor, row: row + i, reference }, i > 0);
    this.#step++;
    const metrics = { metrics: tensor, row, losses: batches.length };
    this.#optimizer.step({ ...settings, lr, step: this.#step, ...metrics });
    this.#metrics.add(own.map(({ counts }) => counts));
  }

  /** What such a step and evaluations of so many sequences dispatch; neither is done. */
  pipelines(
    batch: StepExamples,
    references: Int32Array | undefined,
    held: Int32Array,
  ): readonly KernelVariant[] {
    const { gpu, settings } = this;
    const { tensor: metrics } = this.#metrics;
    const { pipelines } = gpu.rehearse(() => {
      const reference = references && this.#reference(references);
      this.#addGradient(batch, { total: batch.examples, metrics, row: 0, reference }, false);
      this.#optimizer.step({ ...settings, lr: 0, step: 1, metrics, row: 0 });
      if (held.length > 0) this.#forward(held.subarray(0, this.#mostRows), this.#arena.param(headName));
    });
    return pipelines;
  }

  #addGradient(batch: StepExamples, place: Omit<LossPlace, "capacity">, accumulate: boolean): void {
    const { gpu } = this;
    using _scope = gpu.scope();
    const { rows, capacity } = batch;
    const x = gatherRows(gpu, this.features, uploadTensor(gpu, rows, 1, "feature rows", { capacity }));
    const rewards = this.#reward.forward(gpu, x, this.#arena.param(headName));
    const gradient = batch.record(gpu, rewards, place);
    this.#reward.backward(gpu, gradient, x, this.#arena.gradient(headName), accumulate);
  }

  /** [1, 1] f32 */
  #reference(rows: Int32Array): Tensor {
    const { gpu } = this;
    const z = createTensor(gpu, 1, 1, "point of reference");
    using _scope = gpu.scope();
    const x = gatherRows(gpu, this.features, uploadTensor(gpu, rows, 1, "reference rows"));
    const rewards = this.#reward.forward(gpu, x, this.#arena.param(headName));
    addToMean(gpu, z, rewards, { done: 0, total: rows.length });
    return z;
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
    const count = this.#mostRows;
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

  /** Rows of features that are turned into rewards at once. */
  get #mostRows(): number {
    const fitting = Math.floor(this.gpu.facts.limits.maxBinding / this.features.rowBytes);
    return Math.max(1, Math.min(mostRewardRows, fitting));
  }

  #rewardsOf(rows: Int32Array, head: Float32Array | undefined): Promise<Float32Array> {
    using _scope = this.gpu.scope();
    const weight =
      head === undefined ? this.#arena.param(headName) : uploadTensor(this.gpu, head, head.length, headName);
    return readTensor(this.gpu, this.#forward(rows, weight));
  }

  #forward(rows: Int32Array, weight: Tensor): Tensor {
    const x = gatherRows(this.gpu, this.features, uploadTensor(this.gpu, rows, 1, "feature rows"));
    return this.#reward.forward(this.gpu, x, weight);
  }
}

/** Pairs from their targets as they are. */
function pairExamples({ rows, margins, labels }: StepRows, settings: Settings): StepExamples {
  const { loss, constants } = pairObjective(settings);
  const { batchSize: capacity, centerRewardsCoefficient: centering } = settings;
  return {
    rows,
    capacity: 2 * capacity,
    examples: labels.length,
    counts: { pairs: labels.length, decided: labels.filter((p) => p !== 0.5).length },
    record(gpu, rewards, { reference: _, ...place }) {
      const column = (values: Float32Array, label: string) =>
        uploadTensor(gpu, values, 1, label, { capacity });
      const targets = { margins: column(margins, "margins"), labels: column(labels, "labels") };
      return loss.record(gpu, rewards, { ...targets, centering, ...place }, constants);
    },
  };
}
