/** @file The float64 loss, optimiser and schedule against TRL's, torch's and transformers' numbers. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/model/config.ts";
import { l2Norm, relativeError } from "./error.ts";
import { pooledIndex, referenceForward } from "./forward.ts";
import { goldenJson, goldenModel, goldenTensors } from "./goldens.ts";
import { adamWStart, adamWStep, clipByGlobalNorm, scheduleFactor } from "./optimizer.ts";
import { preferenceLoss } from "./preference-loss.ts";
import { readModelFolder } from "./safetensors.ts";

describe("preferenceLoss", () => {
  it("is bt-table, from -300 to 300", () => {
    const golden = goldenTensors("bt-table");
    golden.get("reward_difference").data.forEach((difference, i) => {
      const { loss, chosenGradient, rejectedGradient } = preferenceLoss([difference], [0]);
      expect(relativeError([loss], [golden.get("loss.f64").data[i] ?? Number.NaN])).toBeLessThan(1e-12);
      expect(relativeError(chosenGradient, [golden.get("grad.f64").data[i] ?? Number.NaN])).toBeLessThan(
        1e-12,
      );
      expect(rejectedGradient[0]).toBe(-(chosenGradient[0] ?? Number.NaN));
    });
  });

  it.each(["gpt2", "llama", "qwen2"] as const)("is the loss of %s in all four variants", (name) => {
    const golden = goldenTensors(name);
    const { scalars } = goldenJson<{ scalars: Record<string, { f64: number }> }>(name, "manifest.json");
    const pooled = golden.get("bt/pooled.f64").data;
    const chosen = pooled.subarray(0, pooled.length / 2);
    const rejected = pooled.subarray(pooled.length / 2);
    const margins = golden.get("bt/margin").data;
    for (const [variant, withMargin, centering] of [
      ["plain", false, 0],
      ["margin", true, 0],
      ["center", false, 0.05],
      ["margin_center", true, 0.05],
    ] as const) {
      const { loss } = preferenceLoss(chosen, rejected, withMargin ? margins : undefined, centering);
      expect(relativeError([loss], [scalars[`bt/${variant}/loss`]?.f64 ?? Number.NaN]), variant).toBeLessThan(
        1e-12,
      );
    }
  });

  it("has the gradient that finite differences give", () => {
    const reward = fc.double({ min: -20, max: 20, noNaN: true });
    const pairs = fc.array(fc.tuple(reward, reward, reward), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(pairs, fc.double({ min: 0, max: 1, noNaN: true }), (rows, centering) => {
        const chosen = rows.map((row) => row[0]);
        const rejected = rows.map((row) => row[1]);
        const margins = rows.map((row) => row[2]);
        const at = (side: number[], h: number) => side.map((value, i) => (i === 0 ? value + h : value));
        const result = preferenceLoss(chosen, rejected, margins, centering);
        const h = 1e-4;
        const slope = (sign: (h: number) => number) => (sign(h) - sign(-h)) / (2 * h);
        const dChosen = slope((d) => preferenceLoss(at(chosen, d), rejected, margins, centering).loss);
        const dRejected = slope((d) => preferenceLoss(chosen, at(rejected, d), margins, centering).loss);
        expect(Math.abs(dChosen - (result.chosenGradient[0] ?? Number.NaN))).toBeLessThan(1e-6);
        expect(Math.abs(dRejected - (result.rejectedGradient[0] ?? Number.NaN))).toBeLessThan(1e-6);
      }),
    );
  });
});

describe("adamw-head: ten steps on the head alone", () => {
  interface Trajectory {
    lr: number;
    eps: number;
    weight_decay: number;
    betas: [number, number];
    lr_of_step: number[];
    losses_f64: number[];
    grad_norms_before_clip_f64: number[];
  }
  const { trajectories } = goldenJson<{ trajectories: Record<string, Trajectory> }>(
    "adamw-head",
    "manifest.json",
  );
  const golden = goldenTensors("adamw-head");
  const config = parseConfig(goldenJson("adamw-head", "model/config.json"), "config.json");
  const weights = readModelFolder(goldenModel("adamw-head"));
  const width = config.hiddenSize;

  /** [8, hidden] of each of the four batches: the backbone is frozen, so this is all that training sees. */
  const features = [0, 1, 2, 3].map((batch) => {
    const ids = golden.get(`train/${batch}/input_ids`);
    const length = ids.shape[1] ?? 0;
    return Array.from({ length: ids.shape[0] ?? 0 }, (_, row) => {
      const padded = ids.data.subarray(row * length, (row + 1) * length);
      const index = pooledIndex(padded, config.padTokenId ?? -1);
      const states = referenceForward(config, weights, padded.subarray(0, index + 1)).hiddenStates;
      return states[config.layers]?.subarray(index * width) ?? new Float64Array();
    });
  });

  it.each(Object.keys(trajectories))("%s", (name) => {
    const trajectory = trajectories[name];
    if (!trajectory) throw new Error(name);
    let state = adamWStart(weights.get("score.weight")?.data ?? []);
    const stored = golden.get(`${name}/head_after_each_step.f64`).data;
    for (let step = 0; step < 10; step++) {
      const batch = features[step % 4] ?? [];
      const rewards = batch.map((h) => h.reduce((sum, value, j) => sum + value * (state.weights[j] ?? 0), 0));
      const pairs = batch.length / 2;
      const loss = preferenceLoss(rewards.slice(0, pairs), rewards.slice(pairs));
      const rewardGradient = [...loss.chosenGradient, ...loss.rejectedGradient];
      const gradient = new Float64Array(width);
      batch.forEach((h, row) => {
        for (let j = 0; j < width; j++)
          gradient[j] = (gradient[j] ?? 0) + (rewardGradient[row] ?? 0) * (h[j] ?? 0);
      });
      expect(relativeError([loss.loss], [trajectory.losses_f64[step] ?? Number.NaN])).toBeLessThan(1e-10);
      const norm = trajectory.grad_norms_before_clip_f64[step] ?? Number.NaN;
      expect(relativeError([l2Norm(gradient)], [norm])).toBeLessThan(1e-10);
      const lr = trajectory.lr * scheduleFactor("linear", step, 3, 10);
      expect(lr).toBeCloseTo(trajectory.lr_of_step[step] ?? Number.NaN, 15);
      const { betas, eps, weight_decay: weightDecay } = trajectory;
      state = adamWStep(state, gradient, { lr, betas, eps, weightDecay });
      const expected = stored.subarray(step * width, (step + 1) * width);
      expect(relativeError(state.weights, expected)).toBeLessThan(1e-10);
    }
  });
});

describe("clipByGlobalNorm", () => {
  it("scales all tensors alike, down to the bound and never up", () => {
    expect(clipByGlobalNorm([[3], [0, 4]], 10)).toEqual({
      norm: 5,
      clipped: [Float64Array.of(3), Float64Array.of(0, 4)],
    });
    const { norm, clipped } = clipByGlobalNorm([[3], [0, 4]], 1);
    expect(norm).toBe(5);
    expect(
      relativeError(
        [...clipped].flatMap((g) => [...g]),
        [0.6, 0, 0.8],
      ),
    ).toBeLessThan(1e-6);
  });
});

describe("scheduleFactor", () => {
  it.each([
    ["linear", [0, 0.5, 1, 0.75, 0.5, 0.25, 0]],
    ["cosine", [0, 0.5, 1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2, 0]],
    ["constant", [0, 0.5, 1, 1, 1, 1, 1]],
  ] as const)("%s, two warm-up steps of six", (schedule, factors) => {
    factors.forEach((factor, step) => {
      expect(scheduleFactor(schedule, step, 2, 6)).toBeCloseTo(factor, 14);
    });
  });

  it("begins at 1 without a warm-up", () => {
    expect(scheduleFactor("cosine", 0, 0, 5)).toBe(1);
  });
});
