/**
 * @file One optimiser step on the device: global norm, clipping, AdamW. Nothing is read back; a step whose loss or
 * gradient is not finite, and all after it, leave the weights as they are.
 */
import type { GpuBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { adamw } from "../kernels/adamw.ts";
import { clipByGlobalNorm, partialSums, sumOfSquares } from "../kernels/gradient-norm.ts";
import type { ParameterArena } from "../tensor/parameters.ts";
import type { Tensor } from "../tensor/tensor.ts";

export interface OptimizerStep {
  readonly lr: number;
  /** Learning rates of groups of parameters that have another one. */
  readonly groupLr?: Readonly<Record<string, number>>;
  /** Counted from 1 over the whole training, also after a resume: Adam's bias corrections follow it. */
  readonly step: number;
  /** Global L2 norm that the gradients are scaled down to; 0: no clipping. */
  readonly maxGradNorm: number;
  /** Decoupled: weights shrink by lr * weightDecay before the update. */
  readonly weightDecay: number;
  /** [rows, metricColumns.count] f32: `losses` rows from `row` on hold the step's losses; its gradient norm is written to `row`. */
  readonly metrics: Tensor;
  readonly row: number;
  /** Micro-batches of the step. Default: 1. */
  readonly losses?: number;
}

/** torch.optim.AdamW's defaults. */
const adam = { beta1: 0.9, beta2: 0.999, eps: 1e-8 };

const controlBytes = 16;

export class Optimizer implements Disposable {
  readonly #control: GpuBuffer;
  readonly #partials: GpuBuffer;
  readonly #partialCount: number;

  constructor(
    readonly gpu: Gpu,
    readonly arena: ParameterArena,
  ) {
    this.#partialCount = arena.pieces.reduce((sum, piece) => sum + partialSums(piece.bytes / 16), 0);
    this.#control = gpu.allocatePersistent(controlBytes, "optimizer control");
    this.#partials = gpu.allocatePersistent(4 * this.#partialCount, "partial sums of squares");
    gpu.recorder.clear(this.#control, 0, controlBytes);
  }

  /** Records one update of all parameters from their gradients. */
  step(s: OptimizerStep): void {
    const partials = { buffer: this.#partials };
    let first = 0;
    for (const piece of this.arena.pieces) {
      const count = piece.bytes / 16;
      sumOfSquares(this.gpu, piece.binding("gradient"), count, partials, first);
      first += partialSums(count);
    }
    clipByGlobalNorm(this.gpu, partials, this.#partialCount, this.#control, s);
    const { step, weightDecay } = s;
    for (const { ranges } of this.arena.pieces) {
      for (const range of ranges) {
        const lr = s.groupLr?.[range.group] ?? s.lr;
        adamw(this.gpu, range, this.#control, { ...adam, step, weightDecay, lr });
      }
    }
  }

  /**
   * The first step whose loss or gradient norm was not finite; undefined while there is none. The weights are those
   * before it. Submits and waits.
   */
  async badStep(): Promise<number | undefined> {
    const [step] = new Uint32Array(await this.gpu.read(this.#control, 0, 4));
    return step === 0 ? undefined : step;
  }

  /** Gives the buffers back to the pool; the arena is its owner's. */
  destroy(): void {
    this.gpu.release(this.#control);
    this.gpu.release(this.#partials);
  }

  [Symbol.dispose](): void {
    this.destroy();
  }
}
