/** @file The metrics of steps on the device until they are asked for: one row for each batch that made a step. */
import type { Gpu } from "../gpu/gpu.ts";
import { metricColumns } from "../kernels/metric-columns.ts";
import { createTensor, readTensor, type Tensor } from "../tensor/tensor.ts";
import type { PairMetrics } from "./evaluate.ts";
import type { Optimizer } from "./optimizer.ts";
import { NotFiniteError } from "./state/not-finite.ts";
import type { BatchMetrics, StepMetrics } from "./trainer.ts";

/** What a batch's means are means over. */
export type BatchCounts = Pick<BatchMetrics, "pairs" | "decided">;

export class MetricsTable {
  /** [rows, metricColumns.count] f32 */
  readonly tensor: Tensor;
  /** [rows, names.length] f32: what the reward says beside; undefined where it says nothing. */
  readonly own: Tensor | undefined;
  /** By step. */
  readonly #pending: (readonly BatchCounts[])[] = [];
  #rows = 0;

  /**
   * @param rows batches between two readings
   * @param names columns of `own`
   */
  constructor(
    readonly gpu: Gpu,
    rows: number,
    readonly names: readonly string[] = [],
  ) {
    this.tensor = createTensor(gpu, rows, metricColumns.count, "metrics", { persistent: true });
    if (names.length > 0)
      this.own = createTensor(gpu, rows, names.length, "metrics of the reward", { persistent: true });
  }

  /** The row of the next step's first batch; the others follow. */
  get row(): number {
    return this.#rows;
  }

  /** A step of these batches has been recorded. */
  add(batches: readonly BatchCounts[]): void {
    this.#pending.push(batches);
    this.#rows += batches.length;
  }

  /**
   * The metrics of the steps since the last call.
   * @throws NotFiniteError with the step at which the loss or the gradient stopped being finite
   */
  async take(optimizer: Optimizer): Promise<StepMetrics[]> {
    if (this.#rows === 0) return [];
    const values = await readTensor(this.gpu, this.tensor);
    const own = this.own === undefined ? undefined : await readTensor(this.gpu, this.own);
    const bad = await optimizer.badStep();
    if (bad !== undefined) throw new NotFiniteError("The loss or its gradient was", bad);
    this.#rows = 0;
    let next = 0;
    return this.#pending.splice(0).map((batches) => {
      const first = next;
      next += batches.length;
      return {
        batches: batches.map((counts, i) => ({
          ...counts,
          metrics: metricsIn(values, first + i),
          ...(own === undefined ? {} : { own: this.#ownIn(own, first + i) }),
        })),
        gradNorm: values[first * metricColumns.count + metricColumns.gradNorm] ?? Number.NaN,
      };
    });
  }

  destroy(): void {
    this.gpu.release(this.tensor.buffer);
    if (this.own !== undefined) this.gpu.release(this.own.buffer);
  }

  #ownIn(values: Float32Array, row: number): Record<string, number> {
    const at = (column: number) => values[row * this.names.length + column] ?? Number.NaN;
    return Object.fromEntries(this.names.map((name, column) => [name, at(column)]));
  }
}

function metricsIn(values: Float32Array, row: number): PairMetrics {
  const at = (column: number) => values[row * metricColumns.count + column] ?? Number.NaN;
  return {
    loss: at(metricColumns.loss),
    accuracy: at(metricColumns.accuracy),
    margin: at(metricColumns.margin),
    min_reward: at(metricColumns.minReward),
    mean_reward: at(metricColumns.meanReward),
    max_reward: at(metricColumns.maxReward),
  };
}
