/**
 * @file config.json in, one normalised description out: which decoder to build, with nothing of the family left
 * but its name. A key that changes the arithmetic and is not implemented is refused by name, never ignored.
 * Defaults of absent keys are those of transformers' config classes.
 */
import { z } from "zod";
import { InputError } from "../errors.ts";
import type { Family } from "./families/family.ts";
import { notImplemented, readFields } from "./families/fields.ts";
import { FAMILIES, familyOf } from "./families/registry.ts";

export type FamilyName = "llama" | "qwen2" | "qwen3" | "gpt2";

/** What stands on top of the decoder in the checkpoint: nothing, a vocabulary head, or a reward head. */
export type Architecture = "bare" | "causal-lm" | "sequence-classification";

/** Rotary embedding: angle of pair i at position p is p x theta^(-2i/headDim), rescaled by `scaling`. */
export interface Rope {
  readonly theta: number;
  /** Llama 3's rescaling of the low frequencies (transformers, `_compute_llama3_parameters`). */
  readonly scaling?: {
    readonly type: "llama3";
    readonly factor: number;
    readonly lowFreqFactor: number;
    readonly highFreqFactor: number;
    readonly originalMaxPositions: number;
  };
}

/** A pre-norm causal decoder. Sizes are counts of elements. */
export interface ModelConfig {
  readonly family: FamilyName;
  readonly architecture: Architecture;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  /** Query heads; a multiple of kvHeads. */
  readonly heads: number;
  readonly kvHeads: number;
  /** Even; heads x headDim need not equal hiddenSize. */
  readonly headDim: number;
  readonly intermediateSize: number;
  /** Longest sequence: a hard limit with learned positions, what it was trained on with rope. */
  readonly maxPositions: number;
  readonly norm: "rms" | "layer";
  readonly normEps: number;
  /** swiglu: down(silu(gate x) * up x). gelu-*: down(gelu(up x)). */
  readonly activation: "swiglu" | "gelu-tanh" | "gelu-erf";
  readonly rope?: Rope;
  readonly learnedPositions: boolean;
  readonly qkvBias: boolean;
  readonly outBias: boolean;
  readonly mlpBias: boolean;
  /** RMSNorm over each head of q and k, before the rotation. */
  readonly qkNorm: boolean;
  /** The vocabulary head is the embedding. */
  readonly tied: boolean;
  /** Special ids; they may lie outside of the vocabulary. */
  readonly padTokenId?: number;
  readonly eosTokenId?: number[];
  readonly bosTokenId?: number;
  /** Factor on q.k before the softmax. */
  readonly attentionScale: number;
  /** `dtype` or `torch_dtype` as given: "float32", "bfloat16"... The tensors' own dtypes decide. */
  readonly dtype?: string;
  /** config.json as read, for writing a checkpoint with the same keys. */
  readonly raw: Readonly<Record<string, unknown>>;
}

const common = z.looseObject({
  model_type: z.string(),
  architectures: z.array(z.string()).nullish(),
  torch_dtype: z.string().nullish(),
  dtype: z.string().nullish(),
});

/** Keys of any family that change the arithmetic unless they hold one of these values (or null). */
const HARMLESS: Readonly<Record<string, readonly unknown[]>> = {
  quantization_config: [],
  compression_config: [],
  pretraining_tp: [0, 1],
  add_cross_attention: [false],
  is_encoder_decoder: [false],
  is_causal: [true],
};

/**
 * Reads a parsed config.json. `file` is what messages call it. Throws InputError for an unknown model_type or
 * architecture, a value out of range, and every key that changes the arithmetic and is not implemented.
 */
export function parseConfig(json: unknown, file: string): ModelConfig {
  const raw = readFields(common, json, file);
  const family = familyOf(raw.model_type);
  if (!family) {
    throw notImplemented(file, "model_type", raw.model_type, `${Object.keys(FAMILIES).join(", ")} are`);
  }
  for (const [key, harmless] of Object.entries(HARMLESS)) {
    const value = raw[key];
    if (value != null && !harmless.includes(value))
      throw notImplemented(file, key, value, "models without it are");
  }
  const architecture = readArchitecture(raw.architectures?.[0], family, file);
  if (architecture === "sequence-classification") checkLabels(raw, file);
  const dtype = raw.dtype ?? raw.torch_dtype;
  return {
    family: family.name,
    architecture,
    ...family.parse(raw, file),
    ...(dtype == null ? {} : { dtype }),
    raw,
  };
}

function readArchitecture(name: string | undefined, family: Family, file: string): Architecture {
  if (name === undefined) return "bare";
  for (const architecture of ["bare", "causal-lm", "sequence-classification"] as const) {
    if (family.architectures[architecture] === name) return architecture;
  }
  throw notImplemented(file, "architectures", name, `${Object.values(family.architectures).join(", ")} are`);
}

const labels = z.looseObject({
  num_labels: z.int().nullish(),
  id2label: z.record(z.string(), z.unknown()).nullish(),
  problem_type: z.string().nullish(),
});

/** A reward is one number. transformers counts `id2label`, else `num_labels`, else 2. */
function checkLabels(raw: Readonly<Record<string, unknown>>, file: string): void {
  const json = readFields(labels, raw, file);
  const counts = [
    ["id2label", json.id2label ? Object.keys(json.id2label).length : undefined],
    ["num_labels", json.num_labels ?? undefined],
  ] as const;
  const given = counts.filter(([, count]) => count !== undefined);
  if (given.length === 0) {
    throw new InputError(
      `${file}: neither num_labels nor id2label is given, which means num_labels 2; ` +
        'a reward model has one output: add "num_labels": 1 if score.weight has one row',
    );
  }
  for (const [key, count] of given) {
    if (count !== 1) {
      throw new InputError(
        `${file}: ${key} gives num_labels ${count}; a reward model has one output (num_labels 1)`,
      );
    }
  }
  if (json.problem_type === "multi_label_classification") {
    throw notImplemented(file, "problem_type", json.problem_type, "one reward per text is");
  }
}
