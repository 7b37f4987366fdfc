/** @file The head's loop against float64: the same pairs in the same order, loss, clipping, AdamW, schedule, metrics. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { TrainOptions } from "../../src/train/options.ts";
import { batches, planSteps } from "../../src/train/plan.ts";
import { schedules } from "../../src/train/schedule.ts";
import { relativeError as error64, l2Norm } from "../reference/error.ts";
import { adamWStart, adamWStep, clipByGlobalNorm, scheduleFactor } from "../reference/optimizer.ts";
import { preferenceLoss } from "../reference/preference-loss.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";
import { type GivenPairs, givenPairs, runLoop, trainOptions } from "./given-features.ts";

const gpu = useGpu();

interface Step {
  readonly pairs: number;
  readonly loss: number;
  readonly norm: number;
  readonly lr: number;
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
  readonly labels: readonly number[];
}

/**
 * The whole run in float64, from the definitions. With `rounding`, each pair's slope (of a size up to 1, the difference of a
 * sigmoid and a label) is moved by that much, and each element of a gradient by that share of the terms it sums, this way or
 * that: what another precision would do to this very run.
 */
function reference(given: GivenPairs, head: Float32Array, options: TrainOptions, rounding = 0) {
  const { width, features } = given;
  const plan = planSteps(given.train, options);
  let state = adamWStart(head);
  const rewardOf = (row: number) => {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += features[row * width + j]! * state.weights[j]!;
    return sum;
  };
  const steps: Step[] = [];
  for (const indices of batches(given.train, plan, options)) {
    const chosen = [...indices].map((i) => rewardOf(2 * i));
    const rejected = [...indices].map((i) => rewardOf(2 * i + 1));
    const margins = [...indices].map((i) => given.margins[i]!);
    const labels = [...indices].map((i) => given.labels?.[i] ?? 1);
    const loss = preferenceLoss(chosen, rejected, margins, options.centerRewardsCoefficient, labels);
    const gradient = new Float64Array(width);
    [...indices].forEach((i, n) => {
      const slope = (rounding * Math.sin(1000 * i + steps.length)) / indices.length;
      for (let j = 0; j < width; j++) {
        const chosenTerm = (loss.chosenGradient[n]! + slope) * features[2 * i * width + j]!;
        const rejectedTerm = (loss.rejectedGradient[n]! - slope) * features[(2 * i + 1) * width + j]!;
        const share = rounding * Math.sin(1000 * j + steps.length);
        gradient[j]! += chosenTerm + rejectedTerm + share * (Math.abs(chosenTerm) + Math.abs(rejectedTerm));
      }
    });
    const limit = options.maxGradNorm === 0 ? Number.POSITIVE_INFINITY : options.maxGradNorm;
    const { norm, clipped } = clipByGlobalNorm([gradient], limit);
    const factor = scheduleFactor(options.schedule, steps.length, plan.warmupSteps, plan.totalSteps);
    const lr = options.lr * factor;
    state = adamWStep(state, clipped[0]!, { lr, weightDecay: options.weightDecay });
    steps.push({ pairs: indices.length, loss: loss.loss, norm, lr, chosen, rejected, labels });
  }
  return { steps, head: state.weights };
}

/** The line that steps `from` to `to` make together. */
function expectedLine(steps: readonly Step[]) {
  const chosen = steps.flatMap((s) => s.chosen);
  const rejected = steps.flatMap((s) => s.rejected);
  const all = [...chosen, ...rejected];
  const labels = steps.flatMap((s) => s.labels);
  const right = labels.flatMap((p, i) => {
    if (p === 0.5) return [];
    const [better, worse] = p > 0.5 ? [chosen[i]!, rejected[i]!] : [rejected[i]!, chosen[i]!];
    return [better > worse ? 1 : 0];
  });
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    loss: mean(steps.flatMap((s) => s.chosen.map(() => s.loss))),
    accuracy: mean(right),
    margin: mean(chosen.map((r, i) => r - rejected[i]!)),
    min_reward: Math.min(...all),
    mean_reward: mean(all),
    max_reward: Math.max(...all),
    grad_norm: mean(steps.map((s) => s.norm)),
    learning_rate: steps.at(-1)!.lr,
  };
}

const bound = (value: number) => 1e-5 * (1 + Math.abs(value));

/** Whether each step's values are the other run's, to half of the bound. */
function follows(run: readonly Step[], other: readonly Step[]): boolean {
  return run.every((step, i) => {
    const values = Object.values({ ...expectedLine([step]), accuracy: 0 });
    const others = Object.values({ ...expectedLine([other[i]!]), accuracy: 0 });
    return values.every((value, k) => Math.abs(value - others[k]!) < bound(others[k]!) / 2);
  });
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>) => l2Norm(Array.from(a, (x, i) => x - b[i]!));

it("30 steps follow float64, and every line of metrics", async () => {
  const input = fc.record({
    seed: fc.nat(1e6),
    width: fc.constantFrom(1, 7, 24, 65),
    pairs: fc.constantFrom(1, 5, 9, 20, 33),
    batchSize: fc.constantFrom(1, 4, 8, 64),
    gradientAccumulationSteps: fc.constantFrom(1, 2, 3),
    schedule: fc.constantFrom(...schedules),
    warmupSteps: fc.constantFrom(0, 1, 7, 40),
    weightDecay: fc.constantFrom(0, 0.3),
    maxGradNorm: fc.constantFrom(0, 0.05, 1),
    centerRewardsCoefficient: fc.constantFrom(0, 0.02),
    logEvery: fc.constantFrom(1, 4),
    shuffle: fc.boolean(),
    soft: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ seed, width, pairs, soft, ...some }) => {
      const options = trainOptions({ ...some, seed, maxSteps: 30, lr: 0.02 });
      const labels = Array.from({ length: pairs }, (_, i) => (soft ? [0.125, 0.5, 1, 0.75, 0][i % 5]! : 1));
      const given = { ...givenPairs(seed, width, pairs, 0), labels };
      const head = normals(seed + 9, width, 1 / (width + 1));
      const expected = reference(given, head, options);
      // Adam divides a gradient by its own size. Where one is next to nothing, float32's rounding of it decides the step, and
      // float64 with that rounding does not follow itself either: such a run says nothing of the loop, and another is drawn.
      fc.pre(follows(reference(given, head, options, 2 ** -24).steps, expected.steps));
      const ran = await runLoop(gpu(), given, head, options);
      // A soft label's gradient p - sigmoid(d) cancels near the optimum, and Adam makes steps of what is left.
      // A weight that comes to lie near zero is what is left of larger ones: the way it went is part of its size.
      const size = Math.max(l2Norm(expected.head), distance(expected.head, head));
      expect(distance(ran.head, expected.head) / size).toBeLessThan(soft ? 1e-4 : 1e-5);
      expect(ran.totalSteps).toBe(30);
      expect(ran.best).toEqual({ step: 30, head: ran.head, rewards: undefined });
      expect(ran.last).toBe(ran.best);
      expect(ran.lines.map((l) => l.step).at(-1)).toBe(30);
      expect(ran.lines.length).toBe(Math.ceil(30 / options.logEvery));
      let from = 0;
      for (const line of ran.lines) {
        const steps = expected.steps.slice(from, line.step);
        const { accuracy, ...means } = expectedLine(steps);
        for (const [name, value] of Object.entries(means)) {
          const found = line[name as keyof typeof means];
          expect(Math.abs(found - value), `${name} of step ${line.step}`).toBeLessThan(bound(value));
        }
        // Rewards that differ by less than rounding may change sides.
        const near = steps.flatMap((s) =>
          s.chosen.filter((r, i) => Math.abs(r - s.rejected[i]!) < 1e-5),
        ).length;
        const decided = steps.flatMap((s) => s.labels).filter((p) => p !== 0.5).length;
        if (decided === 0) expect(line.accuracy).toBeNaN();
        else expect(Math.abs(line.accuracy - accuracy) * decided).toBeLessThanOrEqual(near + 1e-4);
        expect(line.epoch).toBeCloseTo(line.step / planSteps(pairs, options).stepsPerEpoch, 12);
        from = line.step;
      }
      expect(ran.lines.at(-1)?.num_tokens).toBe(5 * expected.steps.reduce((sum, s) => sum + s.pairs, 0));
    }),
    { numRuns: 20 },
  );
});

it.each([1, 2, 3, 31, 32, 33, 100, 129, 1000])(
  "from zeros, the first loss of %d pairs is exactly ln 2 in float32",
  async (pairs) => {
    const given = { ...givenPairs(3, 12, pairs, 0), margins: new Array<number>(pairs).fill(0) };
    const options = trainOptions({
      batchSize: pairs,
      maxSteps: 2,
      logEvery: 1,
      centerRewardsCoefficient: 0.1,
    });
    const { lines } = await runLoop(gpu(), given, new Float32Array(12), options);
    expect(lines[0]).toMatchObject({ step: 1, loss: Math.fround(Math.LN2), accuracy: 0, margin: 0 });
  },
);

it("a last batch of fewer pairs counts by its pairs", async () => {
  const given = givenPairs(4, 6, 9, 0);
  const options = trainOptions({ batchSize: 8, epochs: 1, lr: 0, logEvery: 10, shuffle: false });
  const { lines } = await runLoop(gpu(), given, normals(1, 6), options);
  const whole = await runLoop(gpu(), given, normals(1, 6), { ...options, batchSize: 9 });
  expect(lines.length).toBe(1);
  expect(lines[0]?.loss).toBeCloseTo(whole.lines[0]?.loss ?? Number.NaN, 6);
  expect(lines[0]?.mean_reward).toBeCloseTo(whole.lines[0]?.mean_reward ?? Number.NaN, 6);
  expect(lines[0]?.min_reward).toBe(whole.lines[0]?.min_reward);
  expect(lines[0]?.max_reward).toBe(whole.lines[0]?.max_reward);
});

it("keeps the head with the best held-out accuracy, then loss, and its rewards; and the last", async () => {
  const given = givenPairs(5, 40, 12, 30);
  const options = trainOptions({ epochs: 15, batchSize: 6, lr: 0.3, logEvery: 3, schedule: "constant" });
  const { best, last, evals, head } = await runLoop(gpu(), given, new Float32Array(40), options);
  expect(evals.map((e) => e.step)).toEqual(Array.from({ length: 15 }, (_, i) => 2 * (i + 1)));
  expect(evals.map((e) => e.epoch)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
  const accuracy = Math.max(...evals.map((e) => e.eval_accuracy));
  const most = evals.filter((e) => e.eval_accuracy === accuracy);
  expect(most.length, "ties in accuracy").toBeGreaterThan(1);
  const chosenLine = most.reduce((a, b) => (b.eval_loss < a.eval_loss ? b : a));
  expect(best.step).toBe(chosenLine.step);
  expect(last).toMatchObject({ step: 30, head });
  expect(best.step).toBeLessThan(30);
  expect(best.head).not.toEqual(head);
  const { chosen, rejected } = best.rewards ?? expect.fail("no rewards");
  expect(chosen.filter((r, i) => r > rejected[i]!).length / 30).toBe(accuracy);
  const expected = Float64Array.from([...chosen.keys()], (i) => {
    let sum = 0;
    for (let j = 0; j < 40; j++) sum += given.features[(24 + 2 * i) * 40 + j]! * best.head[j]!;
    return sum;
  });
  expect(error64(chosen, expected)).toBeLessThan(1e-5);
});

it("no steps: the first head is evaluated and kept", async () => {
  const head = normals(1, 6);
  const { best, evals, lines, totalSteps } = await runLoop(
    gpu(),
    givenPairs(6, 6, 4, 3),
    head,
    trainOptions({ epochs: 0 }),
  );
  expect(totalSteps).toBe(0);
  expect(best).toMatchObject({ step: 0, head });
  expect(best.rewards?.chosen.length).toBe(3);
  expect([evals.length, lines.length]).toEqual([1, 0]);
});
