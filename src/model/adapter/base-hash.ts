/** @file Which model an adapter belongs to: a hash of what its decoder computes with, however its files are cut. */
import { createHash } from "node:crypto";
import type { ModelConfig } from "../config.ts";
import { expectedTensors, resolveTensors, tensorKey } from "../families/tensors.ts";
import type { ModelFolder } from "../model-folder.ts";

const chunkBytes = 8 * 2 ** 20;

export interface BaseHashOptions {
  /** Whether an untied vocabulary head is read too. */
  readonly lmHead: boolean;
}

/**
 * SHA-256 in lower-case hex over the decoder's tensors as stored and the numbers of config.json that its arithmetic
 * has. A score head has no part in it: an adapter brings its own. Memory holds one chunk.
 */
export async function hashBase(
  { config, checkpoint }: ModelFolder,
  { lmHead }: BaseHashOptions,
): Promise<string> {
  const hash = createHash("sha256");
  hash.update(`${arithmetic(config)}\n`);
  const { found } = resolveTensors(config, checkpoint.tensors);
  for (const { role, layer } of expectedTensors(config)) {
    if (role === "score" || (role === "lm_head" && !lmHead)) continue;
    const key = tensorKey(role, layer);
    const info = checkpoint.tensors.get(found.get(key) ?? "");
    if (info === undefined) throw new Error(`The checkpoint has no ${key}`);
    hash.update(`${key} ${info.dtype} ${info.shape.join(" ")}\n`);
    for await (const { bytes } of checkpoint.chunks(info, chunkBytes)) hash.update(bytes);
  }
  return hash.digest("hex");
}

/** What shapes do not tell. */
function arithmetic(config: ModelConfig): string {
  const { heads, kvHeads, headDim, normEps, activation, rope, attentionScale } = config;
  return JSON.stringify([heads, kvHeads, headDim, normEps, activation, rope ?? null, attentionScale]);
}
