/** @file Plackett-Luce and LiPO on the device and on the host against their definitions in float64; lists of two. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { metricColumns } from "../../src/kernels/metric-columns.ts";
import { createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { gains } from "../../src/train/losses/gains.ts";
import { lipo } from "../../src/train/losses/lipo.ts";
import { logistic } from "../../src/train/losses/logistic.ts";
import type { ListLoss } from "../../src/train/losses/loss.ts";
import { mostTied, plackettLuce } from "../../src/train/losses/plackett-luce.ts";
import { finiteDifferences } from "../reference/finite-differences.ts";
import * as reference from "../reference/list-losses.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";

const gpu = useGpu();

interface List {
  readonly rewards: readonly number[];
  readonly ranks: readonly number[];
}

async function onDevice(loss: ListLoss, lists: readonly List[], total?: number) {
  using _ = gpu().scope();
  const metrics = createTensor(gpu(), 2, metricColumns.count, "metrics");
  const upload = (values: readonly number[], label: string) =>
    uploadTensor(gpu(), Float32Array.from(values), 1, label);
  let end = 0;
  const offsets = Int32Array.of(0, ...lists.map(({ rewards }) => (end += rewards.length)));
  const targets = {
    gains: upload(
      lists.flatMap(({ ranks }) => gains(ranks)),
      "gains",
    ),
    offsets: uploadTensor(gpu(), offsets, 1, "offsets"),
    metrics,
    row: 1,
    ...(total === undefined ? {} : { total }),
  };
  const rewards = upload(
    lists.flatMap((list) => list.rewards),
    "rewards",
  );
  const gradient = [...(await readTensor(gpu(), loss.record(gpu(), rewards, targets)))];
  const row = (await readTensor(gpu(), metrics)).subarray(metricColumns.count);
  return {
    at: (column: Exclude<keyof typeof metricColumns, "count">) => row[metricColumns[column]]!,
    gradients: lists.map((_, i) => gradient.slice(offsets[i], offsets[i + 1])),
  };
}

/** ψ, by which LiPO's gains are made: the share of the other replies that a reply beats. */
const psi = (ranks: readonly number[]) =>
  ranks.map(
    (rank, i) =>
      ranks.filter((other, j) => j !== i && other > rank).length / (ranks.length - 1) +
      ranks.filter((other, j) => j !== i && other === rank).length / (2 * (ranks.length - 1)),
  );

const definitions = {
  "plackett-luce": {
    loss: plackettLuce,
    of: ({ rewards, ranks }: List) => reference.plackettLuce(rewards, ranks),
  },
  lipo: {
    loss: lipo,
    of: ({ rewards, ranks }: List, at: readonly number[] = rewards) =>
      reference.lipo(at, psi(ranks), reference.placesOf(rewards)),
  },
};

function randomLists(seed: number, count: number, longest: number, scale: number): List[] {
  return Array.from({ length: count }, (_, i) => {
    const size = 2 + ((seed + 5 * i) % (longest - 1));
    const rewards = [...normals(seed + i, size, scale)];
    // Some rewards are equal.
    if (i % 3 === 1) rewards[1] = rewards[0]!;
    return {
      rewards,
      ranks: [...normals(seed - i, size, 1.5)].map((v) => Math.min(3, Math.abs(Math.trunc(v)))),
    };
  });
}

describe.each(["plackett-luce", "lipo"] as const)("%s", (name) => {
  const { loss, of } = definitions[name];

  it("equals its definition, and its gradient finite differences of it, ties and all", async () => {
    const input = fc.record({
      count: fc.integer({ min: 1, max: 80 }),
      longest: fc.integer({ min: 2, max: 6 }),
      scale: fc.constantFrom(0.01, 1, 20),
      extra: fc.constantFrom(0, 3),
      seed: fc.nat({ max: 1e6 }),
    });
    await fc.assert(
      fc.asyncProperty(input, async ({ count, longest, scale, extra, seed }) => {
        const lists = randomLists(seed, count, longest, scale);
        const found = await onDevice(loss, lists, count + extra);
        const values = lists.map((list) => of(list));
        const mean = values.reduce((sum, v) => sum + v, 0) / count;
        expect(Math.abs(found.at("loss") - mean)).toBeLessThanOrEqual(1e-5 * (mean + 1e-3));
        const slopes = lists.map((list) =>
          finiteDifferences(
            (at) =>
              name === "lipo" ? definitions.lipo.of(list, [...at]) : of({ ...list, rewards: [...at] }),
            [...list.rewards],
            1e-4,
          ),
        );
        const norm = Math.hypot(...slopes.flatMap((s) => [...s]), 0.1);
        const away = (other: (i: number) => ArrayLike<number>, factor = 1) =>
          Math.hypot(...slopes.flatMap((s, i) => [...s].map((g, k) => g - factor * other(i)[k]!)));
        expect(away((i) => found.gradients[i]!, count + extra)).toBeLessThan(1e-5 * norm);
        const host = lists.map((list) => loss.at(list.rewards, gains(list.ranks)));
        expect(away((i) => host[i]!.gradient)).toBeLessThan(1e-7 * norm);
        for (const [i, value] of values.entries())
          expect(Math.abs(host[i]!.loss - value)).toBeLessThanOrEqual(1e-10 * (1 + value));
      }),
      { numRuns: 12 },
    );
  });

  it("a list of two is the logistic loss, times a constant for lipo; a tie the label 1/2", async () => {
    // |G_w - G_l| = 2^1 - 2^0 of ψ = 1 and 0; 1 / log 2 - 1 / log 3.
    const factor = name === "lipo" ? 1 / Math.log(2) - 1 / Math.log(3) : 1;
    for (const d of [-300, -40, -1, 0, 0.5, 30, 300]) {
      const { at, gradients } = await onDevice(loss, [{ rewards: [d, 0], ranks: [0, 1] }]);
      const expected = factor * logistic.ofPair(d, 1);
      expect(Math.abs(at("loss") - expected), `${d}`).toBeLessThanOrEqual(2e-6 * expected + 1e-37);
      const slope = factor * logistic.slope(d, 1);
      expect(Math.abs(gradients[0]![0]! - slope), `${d}`).toBeLessThanOrEqual(2e-6 * Math.abs(slope) + 1e-37);
      const tie = await onDevice(loss, [{ rewards: [d, 0], ranks: [0, 0] }]);
      const even = name === "lipo" ? 0 : logistic.ofPair(d, 0.5);
      expect(Math.abs(tie.at("loss") - even)).toBeLessThanOrEqual(2e-6 * even);
    }
  });

  it("is right at rewards of hundreds", async () => {
    const list = { rewards: [300, -300, 0, 90, -90], ranks: [3, 0, 1, 1, 2] };
    const { at, gradients } = await onDevice(loss, [list]);
    const host = loss.at(list.rewards, gains(list.ranks));
    expect(host.loss).toBeCloseTo(of(list), 8);
    expect(Math.abs(at("loss") - host.loss)).toBeLessThan(1e-5 * host.loss);
    for (const [i, g] of host.gradient.entries()) expect(gradients[0]![i]!).toBeCloseTo(g, 5);
  });

  it("a reward that is not finite reaches its list's gradients and the loss, and no other list", async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const { at, gradients } = await onDevice(loss, [
        { rewards: [1, 2], ranks: [0, 1] },
        { rewards: [1, bad, 2], ranks: [0, 1, 1] },
      ]);
      expect([at("loss"), at("meanReward"), at("minReward"), at("maxReward")].some(Number.isFinite)).toBe(
        false,
      );
      expect(gradients.map((g) => g.every(Number.isFinite))).toEqual([true, false]);
      expect(gradients[1]!.some(Number.isFinite)).toBe(false);
    }
  });
});

it("metrics are over the pairs of replies that are no ties", async () => {
  const { at } = await onDevice(plackettLuce, [
    { rewards: [3, 1, 1, 0], ranks: [0, 1, 2, 2] },
    { rewards: [-1, 2], ranks: [0, 1] },
  ]);
  // (0,1) (0,2) (0,3) (1,3) right, (1,2) equal; the second list's one pair is wrong.
  expect(at("accuracy")).toBeCloseTo(4 / 6, 6);
  expect(at("ties")).toBeCloseTo(1 / 6, 6);
  expect(at("margin")).toBeCloseTo((2 + 2 + 3 + 0 + 1 - 3) / 6, 6);
  expect([at("minReward"), at("maxReward")]).toEqual([-1, 3]);
  expect(at("meanReward")).toBeCloseTo(1, 6);
});

it("a lipo of zero rewards has a gradient: places are then the list's order", async () => {
  const { gradients } = await onDevice(lipo, [{ rewards: [0, 0, 0], ranks: [1, 0, 2] }]);
  expect(Math.hypot(...gradients[0]!)).toBeGreaterThan(0.05);
});

it("the largest tie is computed, and a larger one is not a number", async () => {
  const of = (size: number) =>
    onDevice(plackettLuce, [{ rewards: [...normals(size, size)], ranks: new Array<number>(size).fill(0) }]);
  const rewards = [...normals(mostTied, mostTied)];
  const host = plackettLuce.at(rewards, gains(new Array<number>(mostTied).fill(0)));
  expect((await of(mostTied)).at("loss") / host.loss).toBeCloseTo(1, 4);
  expect((await of(mostTied + 1)).at("loss")).toBeNaN();
});

it("gains: the share of the others that a reply beats, ties half", () => {
  expect(gains([0, 1])).toEqual([1, 0]);
  expect(gains([1, 0, 1])).toEqual([2 ** 0.25 - 1, 1, 2 ** 0.25 - 1]);
  expect(gains([0, 0])).toEqual([2 ** 0.5 - 1, 2 ** 0.5 - 1]);
});
