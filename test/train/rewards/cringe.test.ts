/** @file CRINGE in training: scores and gradients through draws, tokens and gate against finite differences; whole runs. */
import { describe, expect, it } from "vitest";
import { pack } from "../../../src/data/pack.ts";
import { addInto } from "../../../src/kernels/add.ts";
import { rowOf } from "../../../src/kernels/packed-batch.ts";
import { cringePairs } from "../../../src/kernels/pair-loss-cringe.ts";
import type { Backbone } from "../../../src/model/backbone.ts";
import { Tape } from "../../../src/tensor/tape.ts";
import { readTensor, uploadTensor } from "../../../src/tensor/tensor.ts";
import { ImplicitReward } from "../../../src/train/rewards/implicit.ts";
import { implicitForms } from "../../../src/train/rewards/implicit-form.ts";
import { tinyModel } from "../../model/tiny-model.ts";
import { linear } from "../../reference/layers.ts";
import { sigmoid } from "../../reference/pointwise.ts";
import { tokenLogps } from "../../reference/token-logps.ts";
import { useGpu } from "../../support/gpu.ts";
import { normals, relativeError } from "../../support/numbers.ts";
import { idPairs, jsonl, metricsOf, run } from "../records.ts";

const gpu = useGpu();
const policy = () => tinyModel({ family: "llama", architecture: "causal-lm" });
const data = () => jsonl(idPairs(18));
const short = { epochs: 1, maxSteps: 3, batchSize: 4, logEvery: 1, lr: 1e-2, evalSplit: 0.3, report: false };

describe("cringe", () => {
  it("scores and gradients are those of float64, the rival of each token its likeliest other word", async () => {
    using _ = gpu().scope();
    const [width, vocabulary] = [3, 7];
    const sequences = [
      [1, 2, 3, 4, 5],
      [1, 2, 6, 0],
    ].map((ids) => Int32Array.from(ids));
    const batch = pack([{ sequences }]);
    const hidden = normals(5, batch.rows * width);
    const weight = normals(6, vocabulary * width);
    const states = sequences.map((ids, n) =>
      Array.from({ length: ids.length - 2 }, (_, t) => {
        const row = rowOf(batch, n, t + 1);
        return hidden.subarray(row * width, (row + 1) * width);
      }),
    );
    const constants = { weight: 0.8, margin: 0.5, temperature: 2 };
    /** The rivals stay those of the weights as they are. */
    const rivals = states[1]!.map((state, t) => {
      const logits = linear(state, weight, width);
      const others = [...logits.keys()].filter((v) => v !== sequences[1]![2 + t]);
      return others.reduce((best, v) => (logits[v]! > logits[best]! ? v : best));
    });
    const value = (w: Float64Array) => {
      const logp = [0, 1].map((n) =>
        tokenLogps(
          Float64Array.from(states[n]!.flatMap((s) => [...s])),
          w,
          sequences[n]!.subarray(2),
          width,
        ).reduce((sum, v) => sum + v, 0),
      );
      const penalty = rivals.reduce((sum, rival, t) => {
        const logits = linear(states[1]![t]!, w, width);
        return sum + Math.log1p(Math.exp(logits[sequences[1]![2 + t]!]! - logits[rival]!));
      }, 0);
      const gate = sigmoid((constants.margin - (logp[0]! - logp[1]!)) / constants.temperature);
      return { loss: gate * (constants.weight * penalty - logp[0]!), scores: [...logp, penalty] };
    };
    const lmHead = uploadTensor(gpu(), weight, width, "lm_head");
    const gradient = uploadTensor(gpu(), new Float32Array(weight.length), width, "gradient");
    using reward = new ImplicitReward(implicitForms.cringe, undefined, true, { k: 1, seed: 3 });
    using tape = new Tape(gpu(), new Map([[lmHead, gradient]]), addInto);
    const scores = reward.forward({ gpu: gpu(), backbone: {} as Backbone, lmHead }, tape, {
      batch,
      sequences: sequences.map((ids) => ({ ids, replyStart: 2 })),
      order: Int32Array.of(0, 1),
      hidden: uploadTensor(gpu(), hidden, width, "hidden"),
      capacity: batch.rows,
      rewardCapacity: 2,
      step: { total: 1, number: 1, metrics: undefined, row: 0 },
    });
    const point = Float64Array.from(weight);
    const expected = value(point);
    expect(relativeError(await readTensor(gpu(), scores), expected.scores)).toBeLessThan(1e-5);
    const metrics = uploadTensor(gpu(), new Float32Array(8), 8, "metrics");
    tape.backward([[scores, cringePairs(gpu(), scores, { metrics, row: 0 }, constants)]]);
    expect((await readTensor(gpu(), metrics))[0]).toBeCloseTo(expected.loss, 4);
    const differences = point.map((start, i) => {
      const at = (moved: number) => {
        point[i] = moved;
        const { loss } = value(point);
        point[i] = start;
        return loss;
      };
      return (at(start + 1e-5) - at(start - 1e-5)) / 2e-5;
    });
    expect(relativeError(await readTensor(gpu(), gradient), differences)).toBeLessThan(2e-5);
  });

  it("a run learns to tell replies apart, and is the same each time; another k draws other words", async () => {
    const options = {
      model: await policy(),
      data: data(),
      objective: "cringe",
      trainable: "full",
      ...short,
      // Every step sees all pairs.
      batchSize: 100,
      epochs: 4,
      maxSteps: 4,
    } as const;
    const first = await run(gpu(), { ...options, cringeK: 3 });
    const steps = metricsOf(first.out).filter((line) => "grad_norm" in line);
    expect(steps.at(-1)?.margin).toBeGreaterThan(steps[0]?.margin ?? 0);
    const again = await run(gpu(), { ...options, cringeK: 3 });
    expect(metricsOf(again.out)).toEqual(metricsOf(first.out));
    const other = await run(gpu(), { ...options, trainable: "lora", cringeK: 30 });
    expect(metricsOf(other.out)[0]?.loss).not.toBe(steps[0]?.loss);
  });

  it("goes with its own reward alone", async () => {
    const options = { model: await policy(), data: data(), trainable: "full" } as const;
    await expect(run(gpu(), { ...options, objective: "dpo", loss: "cringe", form: "dpo" })).rejects.toThrow(
      /--loss cringe with --reward implicit --form dpo is not defined/,
    );
    await expect(run(gpu(), { ...options, objective: "dpo", cringeK: 3 })).rejects.toThrow(/--cringe-k/);
    const soft = jsonl(idPairs(9).map((record) => ({ ...record, label: 0.8 })));
    await expect(run(gpu(), { ...options, data: soft, objective: "cringe" })).rejects.toThrow(/label 0\.8/);
    await expect(run(gpu(), { ...options, objective: "cringe", beta: 1 })).rejects.toThrow(
      /--beta with --form cringe/,
    );
  });
});
