/**
 * @file The float64 references against Hugging Face's numbers: hidden states, rewards, the pooled reward, logits and
 * log-probabilities of the random checkpoints. Where float64 is stored, the two agree to 1e-10.
 */
import { describe, expect, it } from "vitest";
import { type ModelConfig, parseConfig } from "../../src/model/config.ts";
import { relativeError } from "./error.ts";
import { pooledIndex, referenceForward, tokenLogProbabilities } from "./forward.ts";
import { type GoldenCase, goldenJson, goldenModel, goldenTensors } from "./goldens.ts";
import { readModelFolder, type Tensors64 } from "./safetensors.ts";

const FLOAT64 = 1e-10;
/** Float64 results that were rounded to F32: half an ulp each. */
const ROUNDED = 1e-7;

const load = (
  name: GoldenCase,
  folder: "model" | "model-bare" = "model",
): { config: ModelConfig; weights: Tensors64 } => ({
  config: parseConfig(goldenJson(name, `${folder}/config.json`), `${name}/config.json`),
  weights: readModelFolder(goldenModel(name, folder)),
});

/** The unmasked run of ids in each row of a padded set, and where it begins. */
function rowsOf(golden: ReturnType<typeof goldenTensors>, set: string) {
  const ids = golden.get(`${set}/input_ids`);
  const mask = golden.get(`${set}/attention_mask`).data;
  const [rows = 0, width = 0] = ids.shape;
  return Array.from({ length: rows }, (_, row) => {
    const padded = ids.data.subarray(row * width, (row + 1) * width);
    const real = mask.subarray(row * width, (row + 1) * width);
    const first = real.indexOf(1);
    return { row, width, first, padded, ids: padded.subarray(first, real.lastIndexOf(1) + 1) };
  });
}

const SETS = ["batch", "left", "edge"] as const;
const CLASSIFIERS = [
  "gpt2",
  "llama",
  "qwen2",
  "llama-wide",
  "qwen3",
  "llama-rope3-bias",
  "gpt2-erf",
] as const;

describe.each(CLASSIFIERS)("%s", (name) => {
  const { config, weights } = load(name);
  const golden = goldenTensors(name);

  it.each(SETS)("rewards, hidden states and pooled rewards of the set %s", (set) => {
    const rewards: number[] = [];
    const truth: number[] = [];
    let pooled = 0;
    for (const { row, width, first, padded, ids } of rowsOf(golden, set)) {
      const result = referenceForward(config, weights, ids, first);
      rewards.push(...(result.rewards ?? []));
      truth.push(
        ...golden
          .get(`${set}/rewards.f64`)
          .data.subarray(row * width + first, row * width + first + ids.length),
      );

      for (let layer = 0; layer <= config.layers; layer++) {
        const stored = [`${set}/hidden_states.${layer}`];
        if (layer === config.layers) stored.push(`${set}/last_hidden_state.f64`);
        for (const tensor of stored.filter((tensor) => golden.has(tensor))) {
          const start = (row * width + first) * config.hiddenSize;
          const expected = golden.get(tensor).data.subarray(start, start + ids.length * config.hiddenSize);
          const bound = tensor.endsWith(".f64") ? FLOAT64 : ROUNDED;
          expect(relativeError(result.hiddenStates[layer] ?? [], expected), tensor).toBeLessThan(bound);
        }
      }

      const index = pooledIndex(padded, config.padTokenId ?? -1);
      expect(index).toBe(golden.get(`${set}/pooled_index`).data[row]);
      if (index < first || index >= first + ids.length) continue;
      pooled++;
      const value = golden.get(`${set}/pooled.f64`).data[row] ?? Number.NaN;
      expect(relativeError([result.rewards?.[index - first] ?? Number.NaN], [value])).toBeLessThan(FLOAT64);
    }
    expect(relativeError(rewards, truth)).toBeLessThan(FLOAT64);
    expect(pooled).toBeGreaterThan(2);
  });
});

describe("pooled rewards of the training pairs", () => {
  it.each(["gpt2", "llama", "qwen2", "llama-wide"] as const)("of %s", (name) => {
    const { config, weights } = load(name);
    const golden = goldenTensors(name);
    const rewards = rowsOf(golden, "bt").map(({ ids, padded }) => {
      const index = pooledIndex(padded, config.padTokenId ?? -1);
      return referenceForward(config, weights, ids).rewards?.[index] ?? Number.NaN;
    });
    expect(relativeError(rewards, golden.get("bt/pooled.f64").data)).toBeLessThan(FLOAT64);
  });
});

describe.each([
  ["gpt2-lm", "model"],
  ["gpt2-lm", "model-bare"],
  ["llama-lm-tied", "model"],
  ["qwen2-lm", "model"],
] as const)("%s/%s", (name, folder) => {
  it("logits and log-probabilities of tokens", () => {
    const { config, weights } = load(name, folder);
    const golden = goldenTensors(name);
    for (const { row, width, ids } of rowsOf(golden, "batch")) {
      const { logits = new Float64Array(), rewards } = referenceForward(config, weights, ids);
      expect(rewards).toBeUndefined();
      const start = row * width * config.vocabSize;
      const expected = golden.get("batch/logits.f64").data.subarray(start, start + logits.length);
      expect(logits.length).toBe(ids.length * config.vocabSize);
      expect(relativeError(logits, expected)).toBeLessThan(FLOAT64);

      const from = row * (width - 1);
      const logps = golden.get("batch/token_logps.f64").data.subarray(from, from + ids.length - 1);
      expect(relativeError(tokenLogProbabilities(logits, ids, config.vocabSize), logps)).toBeLessThan(
        FLOAT64,
      );
    }
  });
});
