/**
 * @file Models of any shape, made up: a folder that is nowhere on disk, with random weights, for benchmarks. What such a
 * model says means nothing; what it costs is what a real one of its shape costs.
 */
import { Random } from "../data/random.ts";
import { RmtrainError } from "../errors.ts";
import { type Architecture, type ModelConfig, parseConfig } from "./config.ts";
import { architectureName, expectedTensors } from "./families/tensors.ts";
import type { ModelFolder } from "./model-folder.ts";
import { HUGGING_FACE_RECIPE } from "./recipe.ts";
import type { ByteRange, Checkpoint, Dtype, TensorInfo } from "./safetensors/index.ts";
import { fromFloat32, tensorByteLength } from "./safetensors/index.ts";

/** Of a decoder of Llama's kind, with untied embeddings. */
export interface ModelShape {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly dtype: "f32" | "f16" | "bf16";
}

const stored = { f32: "F32", f16: "F16", bf16: "BF16" } as const;
const file = "the synthetic model";
/** Prime, so that rows do not repeat one another. */
const distinct = 65_521;
/** Of the weights: what initialisers of such models take. */
const deviation = 0.02;

/**
 * @param positions tokens of its longest sequence
 * @throws InputError for a shape that no such model has, such as heads that do not divide the width
 */
export function syntheticFolder(
  shape: ModelShape,
  positions: number,
  architecture: Architecture = "sequence-classification",
): ModelFolder {
  const config = parseConfig(
    {
      model_type: "llama",
      architectures: [architectureName("llama", architecture)],
      num_labels: 1,
      hidden_size: shape.hidden,
      num_hidden_layers: shape.layers,
      num_attention_heads: shape.heads,
      num_key_value_heads: shape.kvHeads,
      intermediate_size: shape.intermediate,
      vocab_size: shape.vocabulary,
      max_position_embeddings: positions,
      tie_word_embeddings: false,
    },
    file,
  );
  return syntheticFolderOf(config, shape.dtype);
}

/** The same for any config, of any family. @param weights how every one is stored */
export function syntheticFolderOf(config: ModelConfig, weights: ModelShape["dtype"]): ModelFolder {
  const dtype = stored[weights];
  const tensors = new Map<string, TensorInfo>();
  let begin = 0;
  for (const { names, shape: sizes } of expectedTensors(config)) {
    const name = names[0] ?? "";
    const end = begin + (tensorByteLength(dtype, sizes) ?? Number.NaN);
    tensors.set(name, { name, dtype, shape: sizes, file, begin, end });
    begin = end;
  }
  const checkpoint = new SyntheticCheckpoint(tensors, dtype);
  return {
    dir: file,
    config,
    recipe: HUGGING_FACE_RECIPE,
    hasRecipe: false,
    recipeProblems: [],
    checkpoint,
    [Symbol.asyncDispose]: () => checkpoint.close(),
  };
}

/** Random values, each dtype's drawn once and repeated; the gains of norms are 1. */
class SyntheticCheckpoint implements Checkpoint {
  readonly metadata = {};
  readonly files = [file];
  readonly extra = [];
  readonly #weights: Uint8Array<ArrayBuffer>;
  readonly #ones: Uint8Array<ArrayBuffer>;

  constructor(
    readonly tensors: ReadonlyMap<string, TensorInfo>,
    dtype: Dtype,
  ) {
    const random = new Random(0, 0);
    const bound = deviation * Math.sqrt(3);
    const weights = Float32Array.from({ length: distinct }, () => bound * (2 * random.uniform() - 1));
    this.#weights = fromFloat32(weights, dtype);
    this.#ones = fromFloat32(new Float32Array(distinct).fill(1), dtype);
  }

  async read(info: TensorInfo, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const { byteOffset, byteLength } = range ?? { byteOffset: 0, byteLength: info.end - info.begin };
    if (byteOffset + byteLength > info.end - info.begin)
      throw new RmtrainError(`${file}: ${info.name} has no ${byteLength} bytes from ${byteOffset} on`);
    const values = info.shape.length === 1 ? this.#ones : this.#weights;
    const bytes = new Uint8Array(byteLength);
    let from = (info.begin + byteOffset) % values.length;
    for (let at = 0; at < byteLength; from = 0) {
      const part = values.subarray(from, from + byteLength - at);
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  async *chunks(info: TensorInfo, maxBytes: number) {
    const step = Math.floor(maxBytes / 16) * 16;
    const size = info.end - info.begin;
    for (let offset = 0; offset < size; offset += step) {
      const byteLength = Math.min(step, size - offset);
      yield { offset, bytes: await this.read(info, { byteOffset: offset, byteLength }) };
    }
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
