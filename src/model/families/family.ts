/**
 * @file What a model family has to say: how its config.json reads, and how its checkpoint names its tensors.
 * Everything after that is family-free: one decoder runs every ModelConfig.
 */
import type { Architecture, FamilyName, ModelConfig } from "../config.ts";

/** What a tensor is for, whatever its family calls it. Roles of a layer come with a layer number. */
export type Role =
  | "embed"
  | "positions"
  | `${"attn_norm" | "mlp_norm" | "final_norm"}.${"weight" | "bias"}`
  | `${"qkv" | "q" | "k" | "v" | "o" | "gate" | "up" | "down"}.${"weight" | "bias"}`
  | "q_norm.weight"
  | "k_norm.weight"
  | "lm_head"
  | "score";

/** One tensor that a checkpoint of a given config holds. */
export interface TensorSpec {
  readonly role: Role;
  /** Layer number from 0; absent for what stands outside the layers. */
  readonly layer?: number;
  /** Checkpoint names that are accepted, in order; the first is the one to write. */
  readonly names: readonly string[];
  /** Shape as stored. */
  readonly shape: readonly number[];
  /** Stored [in, out] (GPT-2's Conv1D) and not [out, in]. */
  readonly transposed: boolean;
  /** True where a checkpoint may lack it: a score head that has not been trained yet. */
  readonly optional: boolean;
}

/** The part of a ModelConfig that only the family can read. */
export type FamilyFields = Omit<ModelConfig, "family" | "architecture" | "dtype" | "raw">;

export interface Family {
  readonly name: FamilyName;
  /** transformers' class names, as `architectures` in config.json spells them. */
  readonly architectures: Readonly<Record<Architecture, string>>;
  /**
   * Whether transformers builds the embedding with padding_idx = pad_token_id: looking that row up gives it no gradient,
   * wherever it stands.
   */
  readonly freezesPadding: boolean;
  /** Attribute that holds the bare model inside a model with a head; a bare checkpoint's names lack it. */
  readonly prefix: string;
  /** Throws InputError for a value out of range and for what changes the arithmetic and is not implemented. */
  parse(raw: Readonly<Record<string, unknown>>, file: string): FamilyFields;
  /** All tensors but the heads; names without the prefix, the rest as TensorSpec says. */
  backbone(config: ModelConfig): readonly BackboneTensor[];
  /** Names that old checkpoints hold and nobody needs: causal masks, rotary frequencies. */
  readonly buffers: RegExp;
}

export interface BackboneTensor {
  readonly role: Role;
  readonly layer?: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly transposed?: boolean;
}
