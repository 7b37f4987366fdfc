/** @file The adapters that PEFT made on golden bases, and the same in float64. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ModelConfig } from "../../../src/model/config.ts";
import { referenceForward, type Weights } from "../../reference/forward.ts";
import { goldenModel } from "../../reference/goldens.ts";
import { adaptedWeights } from "../../reference/lora.ts";
import { readModelFolder, readSafetensors, type Tensors64 } from "../../reference/safetensors.ts";

export type AdapterCase = "llama" | "gpt2" | "qwen2-lm";

/** Each adapter's scales, worked out by hand from its adapter_config.json. */
const scales: Readonly<Record<AdapterCase, (module: string) => number>> = {
  llama: () => 5 / 3,
  // rslora: alpha / sqrt(r); alpha_pattern { c_fc: 3 }, rank_pattern { h.0.attn.c_attn: 2 }
  gpt2: (module) =>
    (module.endsWith("c_fc") ? 3 : 6) / Math.sqrt(module === "transformer.h.0.attn.c_attn" ? 2 : 4),
  "qwen2-lm": () => 2,
};

export const adapterFolder = (name: AdapterCase): string =>
  join(fileURLToPath(new URL("../../goldens/peft/", import.meta.url)), name);

export const adapterTensors = (name: AdapterCase): Tensors64 =>
  readSafetensors(join(adapterFolder(name), "adapter_model.safetensors"));

/** What PEFT's model gives. */
export const adapterGoldens = (name: AdapterCase): Tensors64 =>
  readSafetensors(join(adapterFolder(name), "golden.safetensors"));

export function adaptedReference(name: AdapterCase): Weights {
  const base = readModelFolder(goldenModel(name));
  return adaptedWeights(base, adapterTensors(name), { scale: scales[name], conv1d: name === "gpt2" });
}

/** The ids of each row of the golden batch, without padding, and the row's part of a tensor [rows, width]. */
export function adapterSequences(name: AdapterCase) {
  const goldens = adapterGoldens(name);
  const ids = goldens.get("batch/input_ids")!;
  const mask = goldens.get("batch/attention_mask")!.data;
  const [rows = 0, width = 0] = ids.shape;
  return Array.from({ length: rows }, (_, row) => {
    const count = mask.subarray(row * width, (row + 1) * width).reduce((sum, m) => sum + m, 0);
    return {
      ids: Int32Array.from(ids.data.subarray(row * width, row * width + count)),
      of: (tensor: string) => {
        const { data, shape } = goldens.get(tensor)!;
        const columns = shape[1]!;
        return data.subarray(row * columns, row * columns + Math.min(count, columns));
      },
    };
  });
}

/** Rewards at every position, by the float64 reference. */
export const referenceRewards = (config: ModelConfig, weights: Weights, ids: Int32Array): Float64Array =>
  referenceForward({ ...config, architecture: "sequence-classification" }, weights, ids).rewards!;
