/** @file The float64 references on pretrained models: greedy tokens, logits, hidden states, rewards. */
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/model/config.ts";
import { relativeError } from "./error.ts";
import { referenceForward, tokenLogProbabilities } from "./forward.ts";
import { goldenJson, type RealModel, realModel } from "./goldens.ts";
import { linear } from "./layers.ts";
import { preferenceLoss } from "./preference-loss.ts";
import { readModelFolder } from "./safetensors.ts";

interface Goldens {
  greedy: { prompt_ids: number[]; greedy_ids: number[]; logits_at: Record<string, number[]> }[];
  sequences: {
    ids: number[];
    argmax: number[];
    next_token_logprobs: number[];
    last_hidden_after_final_norm: number[];
    last_logits: number[];
  }[];
}

interface RewardGoldens {
  pairs: { chosen_ids: number[]; rejected_ids: number[] }[];
  rewards: [number, number][];
  loss: number;
}

const load = (name: RealModel) => ({
  config: parseConfig(goldenJson(`models/${name}`, "config.json"), `${name}/config.json`),
  weights: readModelFolder(realModel(name)),
});

/** The goldens are rounded to 6 decimals (8 for rewards). */
function maxDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(0, ...Array.from(actual, (value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
}

describe.each(["stories260k", "capp-gpt2"] as const)("%s", (name) => {
  const { config, weights } = load(name);
  const goldens = goldenJson<Goldens>(`models/${name}`, "goldens.json");
  const { vocabSize } = config;
  const run = (ids: readonly number[]) => {
    const { hiddenStates, logits = new Float64Array() } = referenceForward(config, weights, ids);
    const row = (t: number) => logits.subarray(t * vocabSize, (t + 1) * vocabSize);
    const argmax = ids.map((_, t) => row(t).indexOf(Math.max(...row(t))));
    return { logits, row, argmax, last: hiddenStates[config.layers] ?? new Float64Array() };
  };

  it("greedy continuations: every token is the argmax before it, with the logits", () => {
    for (const { prompt_ids, greedy_ids, logits_at } of goldens.greedy) {
      const { argmax, row } = run([...prompt_ids, ...greedy_ids]);
      expect(argmax.slice(prompt_ids.length - 1, -1)).toEqual(greedy_ids);
      for (const [t, logits] of Object.entries(logits_at)) {
        expect(maxDifference(row(Number(t)), logits)).toBeLessThan(1e-6);
      }
    }
  });

  it("random sequences: argmax, log-probabilities, hidden state, logits", () => {
    for (const sequence of goldens.sequences) {
      const { argmax, row, logits, last } = run(sequence.ids);
      expect(argmax).toEqual(sequence.argmax);
      expect(maxDifference(row(sequence.ids.length - 1), sequence.last_logits)).toBeLessThan(1e-6);
      const state = last.subarray(-config.hiddenSize);
      expect(maxDifference(state, sequence.last_hidden_after_final_norm)).toBeLessThan(1e-6);
      const logps = tokenLogProbabilities(logits, sequence.ids, vocabSize);
      expect(maxDifference(logps, sequence.next_token_logprobs)).toBeLessThan(1e-6);
    }
  });
});

it("stories260k with a reward head: rewards and loss of four pairs", () => {
  const { config, weights } = load("stories260k");
  const goldens = goldenJson<RewardGoldens>("models/stories260k", "reward-goldens.json");
  const head = Float64Array.from({ length: config.hiddenSize }, (_, j) => Math.sin(j + 1) / 8);
  const reward = (ids: readonly number[]) => {
    const last = referenceForward(config, weights, ids).hiddenStates[config.layers] ?? new Float64Array();
    return linear(last.subarray(-config.hiddenSize), head, config.hiddenSize)[0] ?? Number.NaN;
  };
  const chosen = goldens.pairs.map((pair) => reward(pair.chosen_ids));
  const rejected = goldens.pairs.map((pair) => reward(pair.rejected_ids));
  expect(
    relativeError(
      [...chosen, ...rejected],
      [0, 1].flatMap((s) => goldens.rewards.map((r) => r[s] ?? 0)),
    ),
  ).toBeLessThan(1e-7);
  expect(preferenceLoss(chosen, rejected).loss).toBeCloseTo(goldens.loss, 8);
});
