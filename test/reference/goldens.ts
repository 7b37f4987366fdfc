/**
 * @file Where the numbers from elsewhere lie: test/goldens in this repository, so that a fresh clone tests them.
 * Its README says what they are.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSafetensors, type Tensor64 } from "./safetensors.ts";

const ROOT = fileURLToPath(new URL("../goldens/", import.meta.url));

/** Random checkpoints with the numbers that Hugging Face's code gives for them. */
export type GoldenCase =
  | "gpt2"
  | "llama"
  | "llama-wide"
  | "qwen2"
  | "qwen3"
  | "llama-rope3-bias"
  | "gpt2-erf"
  | "gpt2-lm"
  | "llama-lm-tied"
  | "qwen2-lm"
  | "adamw-head"
  | "bt-table"
  | "dpo-table";

/** Small pretrained models, each with a goldens.json. */
export type RealModel = "stories260k" | "capp-gpt2";

/** Model folder of a case; `gpt2-lm` has a second one, `model-bare`. */
export function goldenModel(name: GoldenCase, folder: "model" | "model-bare" = "model"): string {
  return join(ROOT, name, folder);
}

/** Folder of a real model: config.json, model.safetensors, goldens.json, LICENSE. */
export function realModel(name: RealModel): string {
  return join(ROOT, "models", name);
}

/** Tensors of a case, or those of its preference losses where they lie apart; throws for one that it lacks. */
export function goldenTensors(
  name: GoldenCase,
  file: "golden" | "dpo" = "golden",
): {
  get(tensor: string): Tensor64;
  has(tensor: string): boolean;
} {
  const tensors = readSafetensors(join(ROOT, name, `${file}.safetensors`));
  return {
    has: (tensor) => tensors.has(tensor),
    get(tensor) {
      const found = tensors.get(tensor);
      if (!found) throw new Error(`golden ${name} has no tensor ${tensor}`);
      return found;
    },
  };
}

/** A parsed JSON file of a case or of a real model; the caller names its type. */
export function goldenJson<T>(name: GoldenCase | `models/${RealModel}`, file: string): T {
  return JSON.parse(readFileSync(join(ROOT, name, file), "utf8"));
}
