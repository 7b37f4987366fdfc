/** @file The families by name. A new one is a file beside this and a line here. */
import type { FamilyName, ModelConfig } from "../config.ts";
import type { Family } from "./family.ts";
import { gpt2 } from "./gpt2.ts";
import { llama } from "./llama.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen3 } from "./qwen3.ts";

/** Every family, by its `model_type`. */
export const FAMILIES: Readonly<Record<FamilyName, Family>> = { llama, qwen2, qwen3, gpt2 };

/** The family of a `model_type`, or undefined. */
export function familyOf(modelType: string): Family | undefined {
  return Object.values(FAMILIES).find((family) => family.name === modelType);
}

/** The row of the embedding that looking it up does not teach; undefined where there is none. */
export function frozenRow({ family, padTokenId }: ModelConfig): number | undefined {
  return FAMILIES[family].freezesPadding ? padTokenId : undefined;
}
