/** @file The shapes of a given model's layers, of which the benchmark needs no more than its config.json. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors.ts";
import type { BenchModel, WeightDtype } from "../../kernels/bench/models.ts";
import { type ModelConfig, parseConfig } from "../../model/config.ts";

/** @throws InputError naming the file */
export async function readModelShape(dir: string): Promise<BenchModel> {
  const file = join(dir, "config.json");
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new InputError(`Can't read ${file}: ${error instanceof Error ? error.message : error}`);
  }
  return modelShape(parseConfig(json, file));
}

export function modelShape(config: ModelConfig): BenchModel {
  const { hiddenSize: width, intermediateSize: inner, heads, kvHeads, headDim } = config;
  const queries = heads * headDim;
  const gated = config.activation === "swiglu";
  return {
    width,
    inner,
    heads,
    kvHeads,
    headDim,
    // As the engine runs them: queries, keys and values together, gate and up together.
    matrices: [
      [queries + 2 * kvHeads * headDim, width],
      [width, queries],
      [gated ? 2 * inner : inner, width],
      [width, inner],
    ],
    vocabularies: [config.vocabSize],
    dtypes: [stored(config.dtype)],
  };
}

const names: Readonly<Record<string, WeightDtype>> = { float16: "f16", bfloat16: "bf16" };
const stored = (dtype = ""): WeightDtype => names[dtype] ?? "f32";
