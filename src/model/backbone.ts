/**
 * @file The decoder on the device: token ids of a packed batch in, the hidden state of every row out. One class runs
 * every family; what differs is in the config.
 */
import { InputError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { uploadForest } from "../kernels/attention.ts";
import { uploadForestGradient } from "../kernels/attention-gradient.ts";
import { copy } from "../kernels/copy.ts";
import { uploadDropoutKeys } from "../kernels/dropout.ts";
import { embedding } from "../kernels/embedding.ts";
import { embeddingGradient } from "../kernels/embedding-gradient.ts";
import type { PackedBatch } from "../kernels/packed-batch.ts";
import { rotaryTables } from "../kernels/rotary.ts";
import { uploadRowGroups } from "../kernels/row-groups.ts";
import type { Tape } from "../tensor/tape.ts";
import { type Tensor, uploadTensor } from "../tensor/tensor.ts";
import type { ModelConfig } from "./config.ts";
import type { LinearName } from "./decoder-parts.ts";
import { frozenRow } from "./families/registry.ts";
import type { LoraDropout } from "./lora-linear.ts";
import * as op from "./operations.ts";
import {
  type DecoderWeights,
  type LayerWeights,
  type LoraPart,
  releaseDecoder,
  tensorsOfLayer,
  withLora,
} from "./weights.ts";

/** Sees the rows [T, H] before layer i (i = 0: the embeddings) and, last, after the final norm. For tests and audits. */
export type HiddenStateObserver = (index: number, hidden: Tensor) => void;

export interface ForwardOptions extends Pick<op.Recording, "tape" | "adapter"> {
  readonly observe?: HiddenStateObserver | undefined;
  /** With a tape: of a layer that learns only its input is kept, and the layer is run again to go backwards. */
  readonly checkpointing?: boolean | undefined;
  /** While training: inputs of low-rank updates are dropped as their own `dropout` says, by a mask of this step's. */
  readonly dropout?: Pick<LoraDropout, "seed" | "step"> | undefined;
}

/** What the layers of one pass share. */
interface Pass extends op.Recording {
  readonly forest: op.Forest;
  readonly maxPath: number;
  /** Nothing later in the pass reads the tensor. */
  readonly release: (tensor: Tensor) => void;
}

export class Backbone {
  #weights: DecoderWeights;
  #tables: { readonly positions: number; readonly cos: Tensor; readonly sin: Tensor } | undefined;

  /** @param ownsWeights whether `release` gives the weights' buffers back too; parameters belong to their arena */
  constructor(
    readonly gpu: Gpu,
    readonly config: ModelConfig,
    weights: DecoderWeights,
    readonly ownsWeights = true,
  ) {
    this.#weights = weights;
  }

  get weights(): DecoderWeights {
    return this.#weights;
  }

  /** Puts low-rank updates beside the linears, in place of those there were; their tensors stay the caller's. */
  adapt(parts: (layer: number, linear: LinearName) => readonly LoraPart[]): void {
    this.#weights = withLora(this.#weights, parts);
  }

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
   * Records the forward pass of a batch. The result belongs to the caller's scope, with a tape to the tape.
   * @param capacity rows that activations have room for: the token budget, so that buffers are the same for every batch
   * @returns [T, H] f32, after the final norm
   * @throws InputError when a path is longer than learned positions reach
   */
  forward(batch: PackedBatch, capacity: number, options: ForwardOptions = {}): Tensor {
    const { gpu, config, weights } = this;
    const { observe, tape, adapter, checkpointing = false } = options;
    if (config.learnedPositions && batch.maxPath > config.maxPositions) {
      throw new InputError(
        `A sequence of ${batch.maxPath} tokens is longer than the model's ${config.maxPositions} positions; shorten it, or use --truncate left or right`,
      );
    }
    const room = Math.max(capacity, batch.rows);
    const embedded = embedding(
      gpu,
      weights.embed,
      uploadTensor(gpu, batch.ids, 1, "ids", { capacity: room }),
      {
        capacity: room,
      },
    );
    const tables = uploadForest(gpu, batch, room);
    const forest = {
      tables,
      gradient: tape === undefined ? undefined : uploadForestGradient(gpu, batch, room),
    };
    if (weights.positions !== undefined)
      embedding(gpu, weights.positions, tables.positions, { into: embedded });
    if (tape !== undefined) this.#recordEmbedding(tape, batch, room, embedded);
    observe?.(0, embedded);
    const dropout = options.dropout && {
      ...options.dropout,
      keys: uploadDropoutKeys(gpu, batch, room),
    };
    const shared = { gpu, tape, adapter, dropout, forest, maxPath: batch.maxPath };
    let x = embedded;
    weights.layers.forEach((layer, i) => {
      x = this.#run(layer, x, shared, checkpointing);
      if (i < config.layers - 1) observe?.(i + 1, x);
    });
    const hidden = op.norm(shared, x, weights.finalNorm, config.normEps);
    tape?.release(x);
    observe?.(config.layers, hidden);
    return hidden;
  }

  /** Makes the tables that paths of so many tokens need; else the first batch with such a path makes them. */
  reserve(positions: number): void {
    if (this.config.rope !== undefined) this.#rotaryTables(positions);
  }

  /** Gives every buffer back to the pool. */
  release(): void {
    if (this.ownsWeights) releaseDecoder(this.gpu, this.weights);
    this.#releaseTables();
  }

  #recordEmbedding(tape: Tape, batch: PackedBatch, capacity: number, embedded: Tensor): void {
    const { gpu, weights } = this;
    const [ids, positions] = [weights.embed, weights.positions].map((table) =>
      table === undefined ? undefined : tape.parameter(table),
    );
    if (ids === undefined && positions === undefined) return;
    const groups = uploadRowGroups(gpu, batch.ids, { capacity, skip: frozenRow(this.config) });
    const places = uploadRowGroups(gpu, batch.positions, { capacity });
    tape.record(embedded, [], (dy) => {
      if (ids !== undefined) embeddingGradient(gpu, dy, groups, ids);
      if (positions !== undefined) embeddingGradient(gpu, dy, places, positions);
    });
  }

  /** One layer's output, [T, H]. It takes x's place, unless a gradient is recorded: then x is given up to the tape. */
  #run(layer: LayerWeights, x: Tensor, shared: Omit<Pass, "release">, checkpointing: boolean): Tensor {
    const { tape } = shared;
    const learns = tape?.tracks(x, ...tensorsOfLayer(layer)) ?? false;
    if (tape === undefined || !learns) {
      this.#inPlace(layer, x, shared);
      return x;
    }
    const taped = { ...shared, release: (tensor: Tensor) => tape.release(tensor) };
    if (!checkpointing) return this.#layer(layer, x, taped);
    const y = copy(this.gpu, x);
    this.#inPlace(layer, y, shared);
    tape.record(y, [x], (dy) => tape.rerun(dy, () => this.#layer(layer, x, taped)));
    tape.release(x);
    return y;
  }

  /** Without a tape: x becomes the layer's output, and nothing else is left. */
  #inPlace(layer: LayerWeights, x: Tensor, shared: Omit<Pass, "release">): void {
    using scope = this.gpu.scope();
    const release = (tensor: Tensor) => scope.release(tensor.buffer);
    this.#layer(layer, x, { ...shared, tape: undefined, release });
  }

  /** x + attention(norm(x)), then x + mlp(norm(x)) */
  #layer(layer: LayerWeights, x: Tensor, pass: Pass): Tensor {
    const { heads, kvHeads, headDim, normEps, attentionScale, activation, rope } = this.config;
    const normed = op.norm(pass, x, layer.attentionNorm, normEps);
    const qkv = op.linear(pass, normed, layer.qkv);
    pass.release(normed);
    op.headNorms(pass, qkv, this.#headNorms(layer), normEps);
    if (rope !== undefined) {
      const tables = this.#rotaryTables(pass.maxPath);
      const { positions } = pass.forest.tables;
      op.rotary(pass, qkv, { heads: heads + kvHeads, firstCol: 0, headDim, tables, positions });
    }
    const shape = { heads, kvHeads, headDim, scale: attentionScale };
    const mixed = op.attention(pass, qkv, pass.forest, shape);
    pass.release(qkv);
    const middle = op.addLinear(pass, x, mixed, layer.out);
    pass.release(mixed);

    const again = op.norm(pass, middle, layer.mlpNorm, normEps);
    const up = op.linear(pass, again, layer.up);
    pass.release(again);
    const activated = op.activate(pass, up, activation);
    pass.release(up);
    const y = op.addLinear(pass, middle, activated, layer.down);
    pass.release(activated);
    return y;
  }

  #headNorms({ qNorm, kNorm }: LayerWeights): op.HeadNormPart[] {
    const { heads, kvHeads, headDim } = this.config;
    const parts: op.HeadNormPart[] = [];
    if (qNorm !== undefined) parts.push({ weight: qNorm, range: { heads, headDim, firstCol: 0 } });
    if (kNorm !== undefined)
      parts.push({ weight: kNorm, range: { heads: kvHeads, headDim, firstCol: heads * headDim } });
    return parts;
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
