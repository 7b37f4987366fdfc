/** @file Implicit rewards of saved policies: a run's closing ones bit for bit, prefixes, and what is said of other references. */
import { describe, expect, it } from "vitest";
import { evaluateModel } from "../../src/audit/eval.ts";
import { ImplicitModel } from "../../src/audit/implicit-model.ts";
import { RewardModel } from "../../src/audit/reward-model.ts";
import type { TokenisedContent } from "../../src/data/tokenise.ts";
import { InputError } from "../../src/errors.ts";
import { rmtrain } from "../cli/run-rmtrain.ts";
import { tinyModel } from "../model/tiny-model.ts";
import { realModel } from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";
import { idPairs, jsonl, run } from "../train/records.ts";

const gpu = useGpu();
const policy = (seed = 1) => tinyModel({ family: "llama", architecture: "causal-lm", seed });
const short = { epochs: 1, maxSteps: 2, batchSize: 6, lr: 1e-2, evalSplit: 0.4, report: false };

const itemsOf = (result: Awaited<ReturnType<typeof run>>): TokenisedContent[] =>
  (result.dataset.eval?.examples ?? []).map(({ item }) => item);

describe.each([
  ["full", "dpo"],
  ["lora", "dpo"],
  ["full", "simpo"],
] as const)("--trainable %s, --objective %s", (trainable, objective) => {
  it("the closing evaluation's rewards come again, each reply alone and in any company", async () => {
    const model = await policy();
    const beta = objective === "dpo" ? { beta: 0.3 } : {};
    const data = jsonl(idPairs(18));
    const result = await run(gpu(), { model, data, objective, trainable, ...short, ...beta });
    const options =
      trainable === "lora" ? { adapter: result.out } : objective === "dpo" ? { reference: model } : {};
    using scorer = await ImplicitModel.load(gpu(), trainable === "lora" ? model : result.out, options);
    expect(scorer.mismatches).toEqual([]);
    const items = itemsOf(result);
    expect(items.length).toBeGreaterThan(3);
    const scored = await scorer.scoreItems(items, { perToken: true });
    expect(scored.map((own) => own.map(({ reward }) => reward))).toEqual(
      result.rewards.map(({ chosen, rejected }) => [chosen, rejected]),
    );
    for (const [i, own] of scored.entries()) {
      for (const [reply, { ids, reward, perToken }] of own.entries()) {
        const start = items[i]!.replyStarts![reply]!;
        expect(perToken?.length).toBe(ids.length);
        expect(perToken?.at(-1)).toBe(reward);
        expect([...(perToken?.subarray(0, start) ?? [])].every((r) => r === 0)).toBe(true);
        // A prefix is a text of its own.
        const cut = { ...items[i]!, sequences: [ids.slice(0, start + 1)], replyStarts: [start] };
        const [[prefix] = []] = await scorer.scoreItems([cut]);
        expect(prefix?.reward).toBe(perToken?.[start]);
      }
    }
    expect(scored.flat().some(({ reward }) => reward !== 0)).toBe(true);
    const evaluation = await evaluateModel(scorer, data, {});
    expect(evaluation.accuracy.n).toBe(18);
  });
});

it("says which reference and which β it was; a policy without one, or an adapter on another, is refused", async () => {
  const model = await policy();
  const other = await policy(2);
  const data = jsonl(idPairs(12));
  const full = await run(gpu(), { model, data, objective: "dpo", trainable: "full", ...short });
  {
    using scorer = await ImplicitModel.load(gpu(), full.out, { reference: other, beta: 0.5 });
    expect(scorer.mismatches).toEqual([
      expect.stringMatching(/^the reference is .*SHA-256 .*; in training it was .*rewards are not those/),
      "β is 0.5, in training it was 0.1",
    ]);
  }
  await expect(ImplicitModel.load(gpu(), full.out)).rejects.toThrow(/--reference DIR; in training it was/);
  await expect(ImplicitModel.load(gpu(), full.out)).rejects.toBeInstanceOf(InputError);
  await expect(RewardModel.load(gpu(), full.out)).rejects.toThrow(/--reward implicit gives them/);
  const options = { model, reference: other, data, objective: "dpo", trainable: "lora", ...short } as const;
  const lora = await run(gpu(), options);
  await expect(ImplicitModel.load(gpu(), model, { adapter: lora.out })).rejects.toThrow(
    /was not trained against its base .*: give --reference DIR; in training it was/,
  );
  using scorer = await ImplicitModel.load(gpu(), model, { adapter: lora.out, reference: other });
  const scored = await scorer.scoreItems(itemsOf(lora));
  expect(scored.map((own) => own.map(({ reward }) => reward))).toEqual(
    lora.rewards.map(({ chosen, rejected }) => [chosen, rejected]),
  );
});

it("the mean per token is the sum over the reply's tokens divided by their number", async () => {
  const model = await policy();
  const load = (form: "dpo" | "norm") =>
    policy(2).then((reference) => ImplicitModel.load(gpu(), model, { reference, form, beta: 1 }));
  using sum = await load("dpo");
  using mean = await load("norm");
  const item = sum.tokenise({ kind: "ids", prompt: [1, 2], replies: [[3, 4, 5], [6]] }, "here");
  const [[long, short] = []] = await sum.scoreItems([item]);
  const [[ofLong, ofShort] = []] = await mean.scoreItems([item]);
  expect(ofLong?.reward).toBeCloseTo((long?.reward ?? 0) / 3, 5);
  expect(ofShort?.reward).toBe(short?.reward);
});

it("score and trace by the command line; flags of the other reward are refused", async () => {
  const dir = realModel("stories260k");
  const data = jsonl([{ prompt: "Once", chosen: " upon a time", rejected: " xq" }]);
  const implicit = ["--model", dir, "--reward", "implicit", "--reference", dir];
  const scored = await rmtrain(["score", ...implicit, "--data", data]);
  expect(scored.code, scored.err).toBe(0);
  expect(JSON.parse(scored.out)).toEqual({ reward_chosen: 0, reward_rejected: 0, margin: 0 });
  const traced = await rmtrain([
    "trace",
    ...implicit.slice(0, 4),
    "--form",
    "cpo",
    "--beta",
    "1",
    "--json",
    "Once upon",
  ]);
  expect(traced.code, traced.err).toBe(0);
  const points = JSON.parse(traced.out) as { prefix: string; reward: number }[];
  expect(points.at(-1)?.prefix).toContain("Once upon");
  // log π of longer texts only falls.
  for (const [i, { reward }] of points.entries())
    if (i > 0) expect(reward).toBeLessThan(points[i - 1]!.reward);
  const refused = await rmtrain(["trace", "--model", dir, "--beta", "1", "Once"]);
  expect([refused.code, refused.err]).toEqual([
    2,
    expect.stringContaining("--beta goes with --reward implicit"),
  ]);
});
