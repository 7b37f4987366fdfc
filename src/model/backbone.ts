/**
 * @file The decoder on the device: token ids of a packed batch in, the hidden state of every row out. One class runs
 * every family; what differs is in the config.
 */
import { InputError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { attention, type ForestTables, uploadForest } from "../kernels/attention.ts";
import { embedding } from "../kernels/embedding.ts";
import { gelu } from "../kernels/gelu.ts";
import { headNorm } from "../kernels/head-norm.ts";
import { layerNorm } from "../kernels/layer-norm.ts";
import { linear } from "../kernels/linear.ts";
import type { PackedBatch } from "../kernels/packed-batch.ts";
import { rmsNorm } from "../kernels/rms-norm.ts";
import { rotary, rotaryTables } from "../kernels/rotary.ts";
import { swiglu } from "../kernels/swiglu.ts";
import { type Tensor, uploadTensor } from "../tensor/tensor.ts";
import type { ModelConfig } from "./config.ts";
import { type DecoderWeights, type LayerWeights, type NormWeights, releaseDecoder } from "./weights.ts";

/** Sees the rows [T, H] before layer i (i = 0: the embeddings) and, last, after the final norm. For tests and audits. */
export type HiddenStateObserver = (index: number, hidden: Tensor) => void;

export class Backbone {
  #tables: { readonly positions: number; readonly cos: Tensor; readonly sin: Tensor } | undefined;

  constructor(
    readonly gpu: Gpu,
    readonly config: ModelConfig,
    readonly weights: DecoderWeights,
  ) {}

  /** Columns of the widest activation; a batch's rows times this must fit one binding. */
  get widestActivation(): number {
    const { hiddenSize, heads, kvHeads, headDim, intermediateSize, activation } = this.config;
    return Math.max(
      hiddenSize,
      (heads + 2 * kvHeads) * headDim,
      intermediateSize * (activation === "swiglu" ? 2 : 1),
    );
  }

  /**
   * Records the forward pass of a batch. The result belongs to the caller's scope.
   * @param capacity rows that activations have room for: the token budget, so that buffers are the same for every batch
   * @returns [T, H] f32, after the final norm
   * @throws InputError when a path is longer than learned positions reach
   */
  forward(batch: PackedBatch, capacity: number, observe?: HiddenStateObserver): Tensor {
    const { gpu, config, weights } = this;
    if (config.learnedPositions && batch.maxPath > config.maxPositions) {
      throw new InputError(
        `A sequence of ${batch.maxPath} tokens is longer than the model's ${config.maxPositions} positions; shorten it, or use --truncate left or right`,
      );
    }
    const room = Math.max(capacity, batch.rows);
    const x = embedding(gpu, weights.embed, uploadTensor(gpu, batch.ids, 1, "ids", { capacity: room }), {
      capacity: room,
    });
    const forest = uploadForest(gpu, batch, room);
    if (weights.positions !== undefined) embedding(gpu, weights.positions, forest.positions, { into: x });
    observe?.(0, x);
    this.weights.layers.forEach((layer, i) => {
      this.#layer(layer, x, forest, batch.maxPath);
      if (i < config.layers - 1) observe?.(i + 1, x);
    });
    const hidden = this.#norm(x, weights.finalNorm);
    observe?.(config.layers, hidden);
    return hidden;
  }

  /** Gives every buffer back to the pool. */
  release(): void {
    releaseDecoder(this.gpu, this.weights);
    this.#releaseTables();
  }

  /** x += attention(norm(x)); x += mlp(norm(x)) */
  #layer(layer: LayerWeights, x: Tensor, forest: ForestTables, maxPath: number): void {
    using scope = this.gpu.scope();
    const { gpu, config } = this;
    const { heads, kvHeads, headDim, normEps } = config;
    const normed = this.#norm(x, layer.attentionNorm);
    const qkv = linear(gpu, normed, layer.qkv.weight, { bias: layer.qkv.bias });
    scope.release(normed.buffer);
    if (layer.qNorm !== undefined) headNorm(gpu, qkv, layer.qNorm, normEps, { heads, headDim, firstCol: 0 });
    if (layer.kNorm !== undefined) {
      headNorm(gpu, qkv, layer.kNorm, normEps, { heads: kvHeads, headDim, firstCol: heads * headDim });
    }
    if (config.rope !== undefined) {
      const tables = this.#rotaryTables(maxPath);
      rotary(gpu, qkv, { heads: heads + kvHeads, firstCol: 0, headDim, tables, positions: forest.positions });
    }
    const mixed = attention(gpu, qkv, forest, { heads, kvHeads, headDim, scale: config.attentionScale });
    scope.release(qkv.buffer);
    linear(gpu, mixed, layer.out.weight, { bias: layer.out.bias, into: x });
    scope.release(mixed.buffer);

    const again = this.#norm(x, layer.mlpNorm);
    const up = linear(gpu, again, layer.up.weight, { bias: layer.up.bias });
    scope.release(again.buffer);
    const activated = this.#activate(up);
    scope.release(up.buffer);
    linear(gpu, activated, layer.down.weight, { bias: layer.down.bias, into: x });
  }

  #norm(x: Tensor, { weight, bias }: NormWeights): Tensor {
    const { gpu, config } = this;
    return bias === undefined
      ? rmsNorm(gpu, x, weight, config.normEps)
      : layerNorm(gpu, x, weight, bias, config.normEps);
  }

  #activate(up: Tensor): Tensor {
    const { activation } = this.config;
    if (activation === "swiglu") return swiglu(this.gpu, up);
    return gelu(this.gpu, up, activation === "gelu-tanh" ? "tanh" : "erf");
  }

  /** cos and sin [positions, headDim / 2], for at least `positions`; grown by doubling. */
  #rotaryTables(positions: number) {
    const { rope, headDim } = this.config;
    if (rope === undefined) throw new Error("The model has no rotary embedding");
    if (this.#tables === undefined || this.#tables.positions < positions) {
      const count = 2 ** Math.ceil(Math.log2(Math.max(positions, 64)));
      const { cos, sin } = rotaryTables({ ...rope, headDim }, count);
      this.#releaseTables();
      this.#tables = {
        positions: count,
        cos: uploadTensor(this.gpu, cos, headDim / 2, "rotary cos", { persistent: true }),
        sin: uploadTensor(this.gpu, sin, headDim / 2, "rotary sin", { persistent: true }),
      };
    }
    return this.#tables;
  }

  #releaseTables(): void {
    if (this.#tables === undefined) return;
    this.gpu.release(this.#tables.cos.buffer);
    this.gpu.release(this.#tables.sin.buffer);
    this.#tables = undefined;
  }
}
