/**
 * @file Runs on implicit rewards: zero at the first step, gradients of every form against finite differences, the closing
 * evaluation against float64, references from folders and from the cache; texts by likelihood.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pack } from "../../../src/data/pack.ts";
import { addInto } from "../../../src/kernels/add.ts";
import { rowOf } from "../../../src/kernels/packed-batch.ts";
import { hashBase } from "../../../src/model/adapter/base-hash.ts";
import type { Backbone } from "../../../src/model/backbone.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import { Tape } from "../../../src/tensor/tape.ts";
import { readTensor, uploadTensor } from "../../../src/tensor/tensor.ts";
import { ImplicitReward } from "../../../src/train/rewards/implicit.ts";
import { type ImplicitFormName, implicitForms } from "../../../src/train/rewards/implicit-form.ts";
import { train } from "../../../src/train/train.ts";
import { tinyModel } from "../../model/tiny-model.ts";
import { referenceForward, tokenLogProbabilities } from "../../reference/forward.ts";
import { logOdds } from "../../reference/implicit-reward.ts";
import { sigmoid } from "../../reference/pointwise.ts";
import { readSafetensors } from "../../reference/safetensors.ts";
import { tokenLogps } from "../../reference/token-logps.ts";
import { useGpu } from "../../support/gpu.ts";
import { normals, relativeError } from "../../support/numbers.ts";
import { idPairs, jsonl, metricsOf, run } from "../records.ts";

const gpu = useGpu();
const policy = () => tinyModel({ family: "llama", architecture: "causal-lm" });
const data = () => jsonl(idPairs(18));
const short = { epochs: 1, maxSteps: 3, batchSize: 4, logEvery: 1, lr: 1e-2, evalSplit: 0.3, report: false };

/** Sum of log p over each sequence's tokens from its reply on, in float64. */
async function logps(
  dir: string,
  sequences: readonly { ids: Int32Array; start: number }[],
): Promise<number[]> {
  await using folder = await openModelFolder(dir);
  const weights = readSafetensors(join(dir, "model.safetensors"));
  return sequences.map(({ ids, start }) => {
    const { logits } = referenceForward(folder.config, weights, ids);
    if (logits === undefined) throw new Error("no causal LM");
    return tokenLogProbabilities(logits, ids, folder.config.vocabSize)
      .subarray(start - 1)
      .reduce((sum, logp) => sum + logp, 0);
  });
}

describe("dpo", () => {
  it.each(["full", "lora"] as const)(
    "%s: begins at ln 2, learns, and closes with float64's rewards",
    async (trainable) => {
      const model = await policy();
      const result = await run(gpu(), { model, data: data(), objective: "dpo", trainable, ...short });
      const [first, , last] = metricsOf(result.out).filter((line) => "grad_norm" in line);
      expect(first?.loss).toBeCloseTo(Math.LN2, 6);
      expect([first?.["rewards/chosen"], first?.["rewards/rejected"], first?.["rewards/margins"]]).toEqual([
        0, 0, 0,
      ]);
      expect(first?.["logps/chosen"]).toBeLessThan(0);
      expect(last?.["rewards/accuracies"]).toBe(last?.accuracy);
      expect(last?.["rewards/accuracies"]).toBeGreaterThanOrEqual(0);
      expect(last?.loss).toBeLessThan(first?.loss ?? 0);
      const held = result.dataset.eval?.examples ?? [];
      expect(held.length).toBeGreaterThan(2);
      if (trainable === "lora") return expect(result.rewards.some(({ chosen }) => chosen !== 0)).toBe(true);
      const sequences = held.flatMap(({ item, replyStarts }) =>
        item.sequences.map((ids, n) => ({ ids, start: replyStarts[n]! })),
      );
      const [own, base] = [await logps(result.out, sequences), await logps(model, sequences)];
      const found = result.rewards.flatMap(({ chosen, rejected }) => [chosen, rejected]);
      const expected = own.map((logp, n) => 0.1 * (logp - base[n]!));
      expect(Math.max(...found.map((r, n) => Math.abs(r - expected[n]!)))).toBeLessThan(1e-5);
      const stored = JSON.parse(readFileSync(join(result.out, "config.json"), "utf8"));
      await using folder = await openModelFolder(model);
      expect(stored.rmtrain_reward).toEqual({
        version: 1,
        kind: "implicit",
        form: "dpo",
        beta: 0.1,
        reference: { name: model, sha256: await hashBase(folder, { lmHead: true }) },
      });
      expect(stored.architectures).toEqual(["LlamaForCausalLM"]);
      const card = readFileSync(join(result.out, "README.md"), "utf8");
      expect(card).toContain("pipeline_tag: text-generation");
      expect(card).toContain(
        "npx rmtrain score --reward implicit --model THIS_FOLDER --reference REFERENCE_FOLDER",
      );
      expect(card).toContain("AutoModelForCausalLM");
      expect(card).not.toMatch(/SequenceClassification|head was|the head/);
      expect(gpu().memory.live).toBe(0);
    },
  );

  it("a reference of its own gives the rewards that the base would give beside it; the cache gives the same bits", async () => {
    const model = await policy();
    const reference = await tinyModel({ family: "llama", architecture: "causal-lm", seed: 3 });
    const cache = join(await policy(), "cache");
    const options = {
      model,
      reference,
      data: data(),
      objective: "dpo",
      trainable: "full",
      ...short,
    } as const;
    const plain = await run(gpu(), options);
    const [first] = metricsOf(plain.out);
    expect(Math.abs(first?.["rewards/margins"] ?? 0)).toBeGreaterThan(1e-3);
    for (const note of [undefined, /^reference: \d+ of \d+ log-probabilities from the cache$/]) {
      const again = await run(gpu(), { ...options, featureCache: cache });
      expect(metricsOf(again.out)).toEqual(metricsOf(plain.out));
      expect(again.rewards).toEqual(plain.rewards);
      const noted = again.notes.filter((line) => line.startsWith("reference: "));
      expect(noted).toEqual(note === undefined ? [] : [expect.stringMatching(note)]);
    }
  });

  it("goes on only against the same reference", async () => {
    const model = await policy();
    const [reference, other] = [
      await tinyModel({ family: "llama", architecture: "causal-lm", seed: 3 }),
      await tinyModel({ family: "llama", architecture: "causal-lm", seed: 4 }),
    ];
    const options = {
      model,
      reference,
      data: data(),
      objective: "dpo",
      trainable: "full",
      ...short,
    } as const;
    const { out } = await run(gpu(), options);
    const again = { ...options, out, reference: other };
    await expect(train(gpu(), again, undefined, { resume: out })).rejects.toThrow(
      /the model is another \(reference\)/,
    );
  });

  it("a reference of another vocabulary is refused", async () => {
    const reference = await tinyModel({
      family: "llama",
      architecture: "causal-lm",
      config: { vocab_size: 41 },
    });
    const options = { model: await policy(), reference, data: data(), trainable: "full", ...short } as const;
    await expect(run(gpu(), { ...options, objective: "dpo" })).rejects.toThrow(/41 tokens and .* has 40/);
  });
});

describe.each(["dpo", "norm", "simpo", "cpo", "orpo"] as const)("form %s", (name: ImplicitFormName) => {
  const form = { ...implicitForms[name], ...(name === "cpo" ? { nll: 0.7 } : {}) };
  const [width, vocabulary] = [3, 7];
  const sequences = [
    [1, 2, 3, 4, 5],
    [1, 2, 6, 0],
    [5, 4, 3],
    [5, 4, 1, 2, 6, 6],
  ].map((ids) => Int32Array.from(ids));
  // Two pairs whose prompts have two tokens; rewards: all chosen, then all rejected.
  const order = Int32Array.of(0, 2, 1, 3);
  const references = [-3.5, -2, -1.25, -6];
  const referenceOf = new Map<Int32Array, number>(sequences.map((ids, n) => [ids, references[n]!]));

  /** The loss of the pairs, logistic, as the paper's equation, and the rewards. */
  function loss(hiddenOf: (n: number) => Float64Array, weight: Float64Array) {
    const parts = [...order].map((n) => {
      const targets = sequences[n]!.subarray(2);
      const tokens = targets.length;
      const logp = tokenLogps(hiddenOf(n), weight, targets, width).reduce((sum, v) => sum + v, 0);
      const rho = form.reference ? logp - references[n]! : logp;
      const mean = form.normalise === "mean" ? rho / tokens : rho;
      const reward = form.odds ? logOdds(mean) : form.beta * mean;
      return { reward, logp, nll: -logp / tokens };
    });
    const weightOf = form.weighsLoss ? form.beta : 1;
    let total = 0;
    for (let i = 0; i < 2; i++) {
      const d = parts[i]!.reward - parts[i + 2]!.reward;
      total += (weightOf * Math.log1p(Math.exp(-d)) + form.nll * parts[i]!.nll) / 2;
    }
    const column = (of: (part: (typeof parts)[number]) => number) => parts.map(of);
    return {
      total,
      rewards: column(({ reward }) => reward),
      logps: column(({ logp }) => logp),
      nll: column(({ nll }) => nll),
    };
  }

  it("rewards and the head's gradient are those of float64 and of its finite differences", async () => {
    using _ = gpu().scope();
    const batch = pack([0, 2].map((n) => ({ sequences: sequences.slice(n, n + 2) })));
    const hidden = normals(5, batch.rows * width);
    const weight = normals(6, vocabulary * width);
    const states = (n: number) =>
      Float64Array.from(
        Array.from({ length: sequences[n]!.length - 2 }, (_, t) => {
          const row = rowOf(batch, n, t + 1);
          return [...hidden.subarray(row * width, (row + 1) * width)];
        }).flat(),
      );
    const lmHead = uploadTensor(gpu(), weight, width, "lm_head");
    const gradient = uploadTensor(gpu(), new Float32Array(weight.length), width, "gradient");
    const metrics = uploadTensor(gpu(), new Float32Array(8), 8, "metrics");
    using reward = new ImplicitReward(form, (ids) => referenceOf.get(ids)!, true);
    using tape = new Tape(gpu(), new Map([[lmHead, gradient]]), addInto);
    const rewards = reward.forward({ gpu: gpu(), backbone: {} as Backbone, lmHead }, tape, {
      batch,
      sequences: sequences.map((ids) => ({ ids, replyStart: 2 })),
      order,
      hidden: uploadTensor(gpu(), hidden, width, "hidden"),
      capacity: batch.rows,
      rewardCapacity: 4,
      step: { total: 2, number: 1, metrics, row: 0 },
    });
    const point = Float64Array.from(weight);
    const expected = loss(states, point);
    const found = await readTensor(gpu(), rewards);
    expect(relativeError(found, expected.rewards)).toBeLessThan(1e-5);
    // d mean logistic / d rewards, as the loss gives it: unweighted.
    const slope = [0, 1].map((i) => -sigmoid(expected.rewards[i + 2]! - expected.rewards[i]!) / 2);
    const dr = Float32Array.from([...slope, ...slope.map((g) => -g)]);
    tape.backward([[rewards, uploadTensor(gpu(), dr, 1, "dr")]]);
    const differences = point.map((value, i) => {
      const at = (moved: number) => {
        point[i] = moved;
        const { total } = loss(states, point);
        point[i] = value;
        return total;
      };
      return (at(value + 1e-5) - at(value - 1e-5)) / 2e-5;
    });
    expect(relativeError(await readTensor(gpu(), gradient), differences)).toBeLessThan(1e-5);
    const own = [...(await readTensor(gpu(), metrics))].slice(0, reward.columns.length);
    const mean = (from: number) => (expected.rewards[from]! + expected.rewards[from + 1]!) / 2;
    const [chosen, rejected] = [mean(0), mean(2)];
    const logps = [0, 2].map((from) => (expected.logps[from]! + expected.logps[from + 1]!) / 2);
    const nll = form.nll > 0 ? [(expected.nll[0]! + expected.nll[1]!) / 2] : [];
    expect(relativeError(own, [chosen, rejected, chosen - rejected, ...logps, ...nll])).toBeLessThan(1e-5);
  });
});

describe("lm", () => {
  it("begins at the texts' own likelihood, learns, and is saved as a language model", async () => {
    const model = await policy();
    const texts = idPairs(18).map(({ prompt_ids, chosen_ids }) => ({
      prompt_ids,
      chosen_ids,
      rejected_ids: [1, 2, 3],
    }));
    const result = await run(gpu(), {
      model,
      data: jsonl(texts),
      objective: "lm",
      trainable: "full",
      ...short,
      batchSize: 100,
      maxSteps: 4,
    });
    const lines = metricsOf(result.out);
    const steps = lines.filter((line) => "grad_norm" in line);
    const train = result.dataset.train.examples.map(({ item, replyStarts }) => ({
      ids: item.sequences[0]!,
      start: replyStarts[0]!,
    }));
    const tokens = train.reduce((sum, { ids, start }) => sum + ids.length - start, 0);
    const all = (await logps(model, train)).reduce((sum, logp) => sum + logp, 0);
    expect(steps[0]?.loss).toBeCloseTo(-all / tokens, 4);
    expect(steps.at(-1)?.loss).toBeLessThan(steps[0]?.loss ?? 0);
    const held = (result.dataset.eval?.examples ?? []).map(({ item, replyStarts }) => ({
      ids: item.sequences[0]!,
      start: replyStarts[0]!,
    }));
    const heldTokens = held.reduce((sum, { ids, start }) => sum + ids.length - start, 0);
    const saved = (await logps(result.out, held)).reduce((sum, logp) => sum + logp, 0);
    expect(lines.find((l) => "eval_loss" in l && l.step === result.savedStep)?.eval_loss).toBeCloseTo(
      -saved / heldTokens,
      4,
    );
    const config = JSON.parse(readFileSync(join(result.out, "config.json"), "utf8"));
    expect(config.architectures).toEqual(["LlamaForCausalLM"]);
    expect(config.rmtrain_reward).toBeUndefined();
    const card = readFileSync(join(result.out, "README.md"), "utf8");
    expect(card).toContain("# A language model on llama");
    expect(card).not.toMatch(/reward model|reward head|--reward|THIS_FOLDER --data/);
  });

  it("a head has no part in it", async () => {
    const options = { model: await policy(), data: data(), objective: "lm" } as const;
    await expect(run(gpu(), options)).rejects.toThrow(
      /--reward implicit with --trainable head is not defined/,
    );
  });
});
