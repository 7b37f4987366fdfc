/**
 * @file The forward pass on the device against numbers from elsewhere: Hugging Face's on random checkpoints, and those
 * of pretrained models. Within 1e-5 (relative L2) of float64.
 */
import { describe, expect, it } from "vitest";
import { RewardModel } from "../../src/audit/reward-model.ts";
import { loadLmHead } from "../../src/model/lm-head.ts";
import { loadBackbone } from "../../src/model/load.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { readIndex } from "../../src/model/recipe.ts";
import { WeightLoader } from "../../src/model/weight-loader.ts";
import { relativeError } from "../reference/error.ts";
import { tokenLogProbabilities } from "../reference/forward.ts";
import {
  type GoldenCase,
  goldenJson,
  goldenModel,
  goldenTensors,
  type RealModel,
  realModel,
} from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";
import { type Goldens, type Unpadded, unpadded } from "./golden-sequences.ts";
import { gpuForward, type SequenceStates } from "./gpu-forward.ts";

const BOUND = 1e-5;
const device = useGpu();

function checkHiddenStates(
  golden: Goldens,
  set: string,
  rows: Unpadded,
  states: readonly SequenceStates[],
): number {
  const layers = (states[0]?.hiddenStates.length ?? 0) - 1;
  let compared = 0;
  for (let layer = 0; layer <= layers; layer++) {
    const names = [`${set}/hidden_states.${layer}`];
    if (layer === layers) names.push(`${set}/last_hidden_state.f64`);
    for (const name of names.filter((n) => golden.has(n))) {
      const { data, shape } = golden.get(name);
      const out = rows.flatMap((_, i) => [...(states[i]?.hiddenStates[layer] ?? [])]);
      const truth = rows.flatMap((r) => [...r.slice(data, shape[2])]);
      expect(relativeError(out, truth), name).toBeLessThan(BOUND);
      compared++;
    }
  }
  return compared;
}

const CLASSIFIERS = [
  "llama",
  "llama-wide",
  "llama-rope3-bias",
  "qwen2",
  "qwen3",
  "gpt2",
  "gpt2-erf",
] as const;

describe.each(CLASSIFIERS)("%s", (name) => {
  const golden = goldenTensors(name);

  it("hidden states, rewards of every prefix and pooled rewards", async () => {
    using model = await RewardModel.load(device(), goldenModel(name));
    const { config, recipe } = model;
    expect(model.unused).toEqual([]);
    for (const set of ["batch", "left", "edge"]) {
      // Left padding moves learned positions, and we never pad.
      if (!golden.has(`${set}/input_ids`) || (set === "left" && config.learnedPositions)) continue;
      const rows = unpadded(golden, set);
      const states = await gpuForward(
        model.backbone,
        rows.map((r) => r.ids),
      );
      const compared = checkHiddenStates(golden, set, rows, states);
      if (set === "batch" && name !== "llama-wide") expect(compared).toBe(config.layers + 2);

      const items = rows.map((r) => ({ sequences: [r.ids] }));
      const scored = (await model.scoreItems(items, { perToken: true })).map(([only]) => only);
      const truth = golden.get(`${set}/rewards.f64`).data;
      expect(
        relativeError(
          scored.flatMap((s) => [...(s?.perToken ?? [])]),
          rows.flatMap((r) => [...r.slice(truth)]),
        ),
        `${set}/rewards`,
      ).toBeLessThan(BOUND);

      const pooled = golden.get(`${set}/pooled.f64`).data;
      const index = golden.get(`${set}/pooled_index`).data;
      // A left-padded sequence of nothing but pad ids is read at a masked position there: it has no counterpart here.
      const inside = rows.filter((r) => (index[r.row] ?? -1) >= r.first);
      expect(inside.length).toBeGreaterThan(2);
      for (const r of inside)
        expect(readIndex(r.ids, recipe, config.padTokenId) + r.first).toBe(index[r.row]);
      expect(
        relativeError(
          inside.map((r) => scored[r.row]?.reward ?? Number.NaN),
          inside.map((r) => pooled[r.row] ?? Number.NaN),
        ),
        `${set}/pooled`,
      ).toBeLessThan(BOUND);
    }
  });
});

it.each(["llama", "llama-wide", "qwen2", "gpt2"] as const)(
  "%s: pooled rewards of pairs that share a prompt",
  async (name) => {
    const golden = goldenTensors(name);
    using model = await RewardModel.load(device(), goldenModel(name));
    const rows = unpadded(golden, "bt");
    const n = rows.length / 2;
    const items = rows
      .slice(0, n)
      .map((chosen, i) => ({ sequences: [chosen.ids, rows[n + i]?.ids ?? chosen.ids] }));
    const scored = await model.scoreItems(items);
    const rewards = [0, 1].flatMap((side) => scored.map((pair) => pair[side]?.reward ?? Number.NaN));
    expect(relativeError(rewards, golden.get("bt/pooled.f64").data)).toBeLessThan(BOUND);
  },
);

/** A causal LM's decoder and head, released with `using`. */
async function loadLm(dir: string) {
  await using folder = await openModelFolder(dir);
  const { backbone, unused } = await loadBackbone(device(), folder);
  const head = await loadLmHead(new WeightLoader(device(), folder.checkpoint, folder.config), backbone);
  return {
    backbone,
    unused,
    config: folder.config,
    head: head.weight,
    [Symbol.dispose]() {
      backbone.release();
      if (head.owned) device().release(head.weight.buffer);
    },
  };
}

describe.each([
  ["gpt2-lm", "model"],
  ["gpt2-lm", "model-bare"],
  ["llama-lm-tied", "model"],
  ["qwen2-lm", "model"],
] as const)("%s/%s", (name: GoldenCase, folder) => {
  it("logits and log-probabilities of tokens", async () => {
    using lm = await loadLm(goldenModel(name, folder));
    expect(lm.unused).toEqual([]);
    const golden = goldenTensors(name);
    const rows = unpadded(golden, "batch");
    const states = await gpuForward(
      lm.backbone,
      rows.map((r) => r.ids),
      lm.head,
    );
    const { vocabSize } = lm.config;
    const truth = golden.get("batch/logits.f64").data;
    const logps = golden.get("batch/token_logps.f64");
    const width = logps.shape[1] ?? 0;
    for (const [i, r] of rows.entries()) {
      const logits = states[i]?.logits ?? new Float32Array();
      expect(relativeError(logits, r.slice(truth, vocabSize))).toBeLessThan(BOUND);
      const from = r.row * width;
      const expected = logps.data.subarray(from, from + r.ids.length - 1);
      const own = tokenLogProbabilities(Float64Array.from(logits), r.ids, vocabSize);
      expect(relativeError(own, expected)).toBeLessThan(BOUND);
    }
  });
});

interface RealGoldens {
  greedy: { prompt_ids: number[]; greedy_ids: number[]; logits_at: Record<string, number[]> }[];
  sequences: {
    ids: number[];
    argmax: number[];
    next_token_logprobs: number[];
    last_hidden_after_final_norm: number[];
    last_logits: number[];
  }[];
}

describe.each(["stories260k", "capp-gpt2"] as const)("%s", (name: RealModel) => {
  const goldens = goldenJson<RealGoldens>(`models/${name}`, "goldens.json");

  it("greedy tokens, logits, log-probabilities and hidden states", async () => {
    using lm = await loadLm(realModel(name));
    const { vocabSize, hiddenSize, layers } = lm.config;
    const greedy = goldens.greedy.map((g) => [...g.prompt_ids, ...g.greedy_ids]);
    const states = await gpuForward(
      lm.backbone,
      [...greedy, ...goldens.sequences.map((s) => s.ids)],
      lm.head,
    );
    const row = (i: number, t: number): Float32Array =>
      states[i]?.logits.subarray(t * vocabSize, (t + 1) * vocabSize) ?? new Float32Array();
    const argmax = (i: number, length: number) =>
      Array.from({ length }, (_, t) => row(i, t).indexOf(Math.max(...row(i, t))));

    for (const [i, { prompt_ids, greedy_ids, logits_at }] of goldens.greedy.entries()) {
      const all = argmax(i, prompt_ids.length + greedy_ids.length);
      expect(all.slice(prompt_ids.length - 1, -1)).toEqual(greedy_ids);
      for (const [t, logits] of Object.entries(logits_at))
        expect(relativeError(row(i, Number(t)), logits)).toBeLessThan(BOUND);
    }
    for (const [j, sequence] of goldens.sequences.entries()) {
      const i = greedy.length + j;
      const { ids } = sequence;
      expect(argmax(i, ids.length)).toEqual(sequence.argmax);
      expect(relativeError(row(i, ids.length - 1), sequence.last_logits)).toBeLessThan(BOUND);
      const last = states[i]?.hiddenStates[layers]?.subarray(-hiddenSize) ?? [];
      expect(relativeError(last, sequence.last_hidden_after_final_norm)).toBeLessThan(BOUND);
      const logits = Float64Array.from(states[i]?.logits ?? []);
      const logps = tokenLogProbabilities(logits, ids, vocabSize);
      expect(relativeError(logps, sequence.next_token_logprobs)).toBeLessThan(BOUND);
    }
  });
});

it("stories260k with a reward head: rewards of four pairs", async () => {
  using lm = await loadLm(realModel("stories260k"));
  const { hiddenSize, layers } = lm.config;
  const goldens = goldenJson<{
    pairs: { chosen_ids: number[]; rejected_ids: number[] }[];
    rewards: [number, number][];
  }>("models/stories260k", "reward-goldens.json");
  const states = await gpuForward(
    lm.backbone,
    goldens.pairs.flatMap((p) => [p.chosen_ids, p.rejected_ids]),
  );
  // The head of the golden's definition: w[j] = sin(j + 1) / 8.
  const rewards = states.map(({ hiddenStates }) =>
    (hiddenStates[layers] ?? new Float32Array())
      .subarray(-hiddenSize)
      .reduce((sum, h, j) => sum + (h * Math.sin(j + 1)) / 8, 0),
  );
  expect(relativeError(rewards, goldens.rewards.flat())).toBeLessThan(BOUND);
});
