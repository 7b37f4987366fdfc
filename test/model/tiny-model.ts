/** @file Tiny random checkpoints in Hugging Face's layout, written to a temporary folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type Architecture, type FamilyName, parseConfig } from "../../src/model/config.ts";
import type { Role } from "../../src/model/families/family.ts";
import { architectureName, expectedTensors } from "../../src/model/families/tensors.ts";
import { fromFloat32, writeSafetensors } from "../../src/model/safetensors/index.ts";
import { normals } from "../support/numbers.ts";

type FloatDtype = "F64" | "F32" | "F16" | "BF16";

export interface TinyModel {
  readonly family: FamilyName;
  readonly architecture?: Architecture;
  /** Of every tensor, or by role. Default F32. */
  readonly dtype?: FloatDtype | ((role: Role) => FloatDtype);
  /** Keys of config.json beside the family's own. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Without the family's prefix, as the oldest GPT-2 checkpoints are. */
  readonly unprefixed?: boolean;
  readonly seed?: number;
  /** What the norms' weights lie about. Default 1. */
  readonly gain?: number;
}

const GPT2 = { n_embd: 20, n_head: 2, n_layer: 2, n_positions: 48, vocab_size: 40 };
const ROPE = {
  hidden_size: 24,
  intermediate_size: 36,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 64,
  vocab_size: 40,
  tie_word_embeddings: false,
};

const parents: string[] = [];
let next = 0;

/** A new folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), "rmtrain-model-"));
  parents.push(parent);
  return parent;
}

afterAll(() => {
  for (const parent of parents.splice(0)) rmSync(parent, { recursive: true, force: true });
});

/** @returns the folder */
export async function tinyModel(model: TinyModel): Promise<string> {
  const { family, architecture = "sequence-classification", dtype = "F32", seed = 1, gain = 1 } = model;
  const json = {
    model_type: family,
    architectures: [architectureName(family, architecture)],
    ...(architecture === "sequence-classification" ? { num_labels: 1 } : {}),
    ...(family === "gpt2" ? GPT2 : ROPE),
    ...model.config,
  };
  const dir = join(temporaryFolder(), `${family}-${next++}`);
  mkdirSync(dir);
  writeFileSync(join(dir, "config.json"), JSON.stringify(json));
  const config = parseConfig(json, "config.json");
  const tensors = expectedTensors(config).map((spec, i) => {
    const [name = ""] = spec.names.slice(model.unprefixed ? -1 : 0);
    const count = spec.shape.reduce((a, b) => a * b, 1);
    const isGain = spec.role.endsWith("norm.weight");
    const values = normals(1000 * seed + i, count, 0.3).map((v) => (isGain ? gain + v : v));
    const stored = typeof dtype === "string" ? dtype : dtype(spec.role);
    return { name, dtype: stored, shape: spec.shape, data: () => fromFloat32(values, stored) };
  });
  await writeSafetensors(join(dir, "model.safetensors"), tensors);
  return dir;
}
