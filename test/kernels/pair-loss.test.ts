/** @file Every loss of pairs on the device and on the host against the papers' formulas in float64, and their gradients. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { metricColumns } from "../../src/kernels/metric-columns.ts";
import { createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import {
  defaultConstants,
  isDifferenceLoss,
  type LossConstants,
  type PairLoss,
} from "../../src/train/losses/loss.ts";
import { losses } from "../../src/train/losses/table.ts";
import { finiteDifferences } from "../reference/finite-differences.ts";
import { goldenTensors } from "../reference/goldens.ts";
import { type PairLossName, paperLoss, paperLosses } from "../reference/pair-losses.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";

const gpu = useGpu();
const names = Object.keys(paperLosses) as PairLossName[];
const f32 = Math.fround;

function lossOf(name: PairLossName): PairLoss {
  const loss = losses[name];
  if (loss.kind !== "pairs") throw new Error(`${name} is no loss of pairs`);
  return loss;
}

interface Pairs {
  readonly rewards: readonly (readonly [number, number])[];
  readonly margins: readonly number[];
  readonly labels: readonly number[];
}

async function onDevice(
  name: PairLossName,
  { rewards, margins, labels }: Pairs,
  constants: LossConstants,
  total?: number,
) {
  using _ = gpu().scope();
  const metrics = createTensor(gpu(), 2, metricColumns.count, "metrics");
  const upload = (values: readonly number[], label: string) =>
    uploadTensor(gpu(), Float32Array.from(values), 1, label);
  const sides = [0, 1].flatMap((side) => rewards.map((pair) => pair[side]!));
  const targets = {
    margins: upload(margins, "margins"),
    labels: upload(labels, "labels"),
    centering: 0,
    metrics,
    row: 1,
    ...(total === undefined ? {} : { total }),
  };
  const gradient = lossOf(name).record(gpu(), upload(sides, "rewards"), targets, constants);
  const row = (await readTensor(gpu(), metrics)).subarray(metricColumns.count);
  return { loss: row[metricColumns.loss]!, gradient: [...(await readTensor(gpu(), gradient))], row };
}

const constantsOf = (name: PairLossName, beta: number, eps: number): LossConstants => ({
  ...defaultConstants,
  beta: f32(beta),
  labelSmoothing: f32(lossOf(name).leastSmoothing === undefined ? eps : Math.max(eps, 1e-3)),
});

const paper = (c: LossConstants) => ({ beta: c.beta, eps: c.labelSmoothing, tau: c.discopopTau });

describe.each(names)("%s", (name) => {
  const input = fc.record({
    n: fc.integer({ min: 1, max: 130 }),
    scale: fc.constantFrom(0.01, 1, 20),
    beta: fc.constantFrom(0.1, 1, 2),
    eps: fc.constantFrom(0, 0.1, 0.4),
    extra: fc.constantFrom(0, 5),
    soft: fc.boolean(),
    seed: fc.nat(),
  });

  it("equals its paper's formula, and its gradient finite differences of it", async () => {
    await fc.assert(
      fc.asyncProperty(input, async ({ n, scale, beta, eps, extra, soft, seed }) => {
        const values = normals(seed, 2 * n, scale);
        const pairs = {
          rewards: Array.from({ length: n }, (_, i): [number, number] => [
            values[i]!,
            // Some pairs are ties.
            i % 7 === 3 ? values[i]! : values[n + i]!,
          ]),
          margins: [...normals(seed + 1, n, scale)],
          labels: Array.from({ length: n }, (_, i) => (soft ? f32([0.5, 0.9, 0, 0.25, 1][i % 5]!) : 1)),
        };
        const constants = constantsOf(name, beta, eps);
        const of = (i: number, at: ArrayLike<number>) =>
          paperLoss(name, [at[0]!, at[1]!], pairs.margins[i]!, pairs.labels[i]!, paper(constants));
        const found = await onDevice(name, pairs, constants, n + extra);
        const expected = pairs.rewards.map((pair, i) => of(i, pair));
        const size = expected.reduce((sum, loss) => sum + Math.abs(loss), 0) / n;
        const mean = expected.reduce((sum, loss) => sum + loss, 0) / n;
        expect(Math.abs(found.loss - mean)).toBeLessThanOrEqual(1e-5 * (size + 1e-2));
        // Finite differences mean nothing across the hinge's corner.
        const smooth = (i: number) => {
          const [w, l] = pairs.rewards[i]!;
          const d = w - l - pairs.margins[i]!;
          return name !== "hinge" || Math.abs(Math.abs(d) - 1) > 0.01;
        };
        const slopes = pairs.rewards.map((pair, i) =>
          [...finiteDifferences((at) => of(i, at), [...pair], 1e-4)].map((g) => g / (n + extra)),
        );
        const host = pairs.rewards.map(([w, l], i) => {
          const point = lossOf(name).at(
            w,
            l,
            { margin: pairs.margins[i]!, label: pairs.labels[i]! },
            constants,
          );
          expect(Math.abs(point.loss - expected[i]!)).toBeLessThanOrEqual(
            1e-9 * (1 + Math.abs(expected[i]!)),
          );
          return [point.chosen / (n + extra), point.rejected / (n + extra)];
        });
        const norm = Math.hypot(...slopes.flat(), 0.1 / Math.sqrt(n));
        const away = (other: (i: number, side: number) => number) =>
          Math.hypot(...slopes.flatMap((s, i) => (smooth(i) ? s.map((g, side) => g - other(i, side)) : [])));
        expect(away((i, side) => host[i]![side]!)).toBeLessThan(1e-7 * norm);
        expect(away((i, side) => found.gradient[side * n + i]!)).toBeLessThan(1e-5 * norm);
      }),
      { numRuns: 6 },
    );
  });

  it("is right at rewards of hundreds", async () => {
    const constants = constantsOf(name, 1, 0.1);
    const far = [-300, -90, 0, 90, 300];
    for (const w of far) {
      for (const l of far) {
        for (const label of [1, 0.25]) {
          const pairs = { rewards: [[w, l] as const], margins: [0], labels: [label] };
          const { loss, gradient } = await onDevice(name, pairs, constants);
          const expected = paperLoss(name, [w, l], 0, label, paper(constants));
          const host = lossOf(name).at(w, l, { margin: 0, label }, constants);
          const where = `${w}, ${l}, label ${label}`;
          expect(Math.abs(loss - expected), where).toBeLessThanOrEqual(1e-5 * Math.abs(expected) + 1e-6);
          expect(Math.abs(host.loss - expected), where).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(expected)));
          expect(Math.abs(gradient[0]! - host.chosen), where).toBeLessThanOrEqual(
            1e-5 * Math.abs(host.chosen) + 1e-6,
          );
          expect(Math.abs(gradient[1]! - host.rejected), where).toBeLessThanOrEqual(
            1e-5 * Math.abs(host.rejected) + 1e-6,
          );
        }
      }
    }
  });

  it("a reward that is not finite reaches its loss and its gradients, and no other pair's", async () => {
    const constants = constantsOf(name, 1, 0.1);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const rewards: [number, number][] = [
        [0.5, 0.25],
        [bad, 1],
        [1, 2],
      ];
      const { loss, gradient } = await onDevice(
        name,
        { rewards, margins: [0, 0, 0], labels: [1, 1, 0.5] },
        constants,
      );
      expect(Number.isFinite(loss)).toBe(false);
      expect(gradient.map(Number.isFinite), `${bad}`).toEqual([true, false, true, true, false, true]);
    }
  });

  it("exchanged sides with the label 1 - p are the same pair", async () => {
    const constants = constantsOf(name, 1, 0.1);
    const [w, l, p] = [1.5, -0.75, 0.75];
    const there = await onDevice(name, { rewards: [[w, l]], margins: [0], labels: [p] }, constants);
    const back = await onDevice(name, { rewards: [[l, w]], margins: [0], labels: [1 - p] }, constants);
    expect(back.loss).toBeCloseTo(there.loss, 5);
    expect(back.gradient[0]).toBeCloseTo(there.gradient[1]!, 5);
  });
});

it.each([0.1, 0.5])(
  "ipo gives TRL's own numbers at beta %d: log-ratios there are means over tokens",
  async (beta) => {
    const golden = goldenTensors("dpo-table");
    const of = (what: string) => [...golden.get(what).data];
    const [pc, pr, rc, rr] = [
      "policy_chosen",
      "policy_rejected",
      "reference_chosen",
      "reference_rejected",
    ].map(of);
    const [lc, lr] = [of("len_chosen"), of("len_rejected")];
    const expected = (what: string) => of(`ipo/beta${beta}/${what}.f64`);
    const near = (found: number, value: number, what: string) =>
      expect(Math.abs(found - value), what).toBeLessThanOrEqual(5e-6 * (1 + Math.abs(value)));
    for (const [i, loss] of expected("loss").entries()) {
      const rewards = [(beta * (pc![i]! - rc![i]!)) / lc[i]!, (beta * (pr![i]! - rr![i]!)) / lr[i]!] as const;
      const constants = { ...defaultConstants, beta };
      const found = await onDevice("ipo", { rewards: [rewards], margins: [0], labels: [1] }, constants);
      near(found.loss, loss, `loss of row ${i}`);
      // d r / d log π is β / tokens.
      near((found.gradient[0]! * beta) / lc[i]!, expected("grad_policy_chosen")[i]!, `chosen of row ${i}`);
      near(
        (found.gradient[1]! * beta) / lr[i]!,
        expected("grad_policy_rejected")[i]!,
        `rejected of row ${i}`,
      );
    }
  },
);

describe("identities", () => {
  const value = (name: PairLossName, d: number, label = 1, constants = defaultConstants) => {
    const loss = lossOf(name);
    if (!isDifferenceLoss(loss)) throw new Error(`${name} sees more than differences`);
    return [loss.ofPair(d, label, constants), loss.slope(d, label, constants)] as const;
  };

  it("ipo is smallest where log-ratios differ by 1 / (2 β)", () => {
    for (const beta of [0.1, 0.5, 2]) {
      const constants = { ...defaultConstants, beta };
      expect(value("ipo", beta * (1 / (2 * beta)), 1, constants)).toEqual([0, 0]);
      expect(value("ipo", beta * (1 / (2 * beta) + 3), 1, constants)[0]).toBeCloseTo(9, 10);
    }
  });

  it("robust is the logistic loss at ε = 0, and of labels that flip by ε its mean is the logistic loss", () => {
    const eps = 0.2;
    const constants = { ...defaultConstants, labelSmoothing: eps };
    for (const d of [-4, -0.3, 0, 2]) {
      expect(value("robust", d)).toEqual(value("logistic", d));
      const [kept, flipped] = [value("robust", d, 1, constants)[0], value("robust", d, 0, constants)[0]];
      expect((1 - eps) * kept + eps * flipped).toBeCloseTo(value("logistic", d)[0], 12);
    }
  });

  it("cDPO is smallest where σ(d) = 1 - ε, and exo is 0 there", () => {
    const eps = 0.1;
    const constants = { ...defaultConstants, labelSmoothing: eps };
    const d = Math.log((1 - eps) / eps);
    expect(value("logistic", d, 1, constants)[1]).toBeCloseTo(0, 12);
    expect(value("exo", d, 1, constants)[0]).toBeCloseTo(0, 12);
    expect(value("exo", d, 1, constants)[1]).toBeCloseTo(0, 12);
  });

  it("discopop is the logistic loss far below 0 and exp(-d) far above", () => {
    expect(value("discopop", -30)[0]).toBeCloseTo(value("logistic", -30)[0], 12);
    expect(value("discopop", 8)[0]).toBeCloseTo(Math.exp(-8), 12);
  });

  it("zero rewards: nca and bco are 2 ln 2, the apo losses 1", () => {
    const at = (name: PairLossName) => lossOf(name).at(0, 0, { margin: 0, label: 1 }).loss;
    expect([at("nca"), at("bco"), at("apo-zero"), at("apo-down")]).toEqual([
      2 * Math.LN2,
      2 * Math.LN2,
      1,
      1,
    ]);
  });
});
