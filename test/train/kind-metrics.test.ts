/** @file Metrics of rows and lists on the host: their definitions, and those of the kernels on the same rewards. */
import { expect, it } from "vitest";
import { metricColumns } from "../../src/kernels/metric-columns.ts";
import { mismatchMean } from "../../src/kernels/row-loss.ts";
import { createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import type { PairMetrics } from "../../src/train/evaluate.ts";
import { listMetrics, orderedPairs } from "../../src/train/list-metrics.ts";
import { gains } from "../../src/train/losses/gains.ts";
import { kto } from "../../src/train/losses/kto.ts";
import { defaultConstants } from "../../src/train/losses/loss.ts";
import { plackettLuce } from "../../src/train/losses/plackett-luce.ts";
import { pointOfReference, rowMetrics } from "../../src/train/row-metrics.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";

const gpu = useGpu();

function expectKernels(found: PairMetrics, values: Float32Array): void {
  const at = (column: Exclude<keyof typeof metricColumns, "count">) => values[metricColumns[column]]!;
  expect(found.loss).toBeCloseTo(at("loss"), 5);
  expect(found.accuracy).toBeCloseTo(at("accuracy"), 6);
  expect(found.margin).toBeCloseTo(at("margin"), 5);
  expect(found.min_reward).toBe(at("minReward"));
  expect(found.mean_reward).toBeCloseTo(at("meanReward"), 5);
  expect(found.max_reward).toBe(at("maxReward"));
}

it("rows", async () => {
  using _ = gpu().scope();
  const [rewards, others] = [normals(1, 40), normals(2, 40, 2)];
  const wanted = Array.from(rewards, (_, i) => i % 3 === 0);
  const metrics = createTensor(gpu(), 1, metricColumns.count, "metrics");
  const upload = (values: Float32Array) => uploadTensor(gpu(), values, 1, "values");
  const reference = mismatchMean(gpu(), [upload(others)]);
  const constants = { ...defaultConstants, desirableWeight: 1.5 };
  const targets = { labels: upload(Float32Array.from(wanted, Number)), reference, metrics, row: 0 };
  kto.record(gpu(), upload(rewards), targets, constants);
  const z = pointOfReference(others);
  expect(z).toBeGreaterThan(0);
  expect((await readTensor(gpu(), reference))[0]).toBeCloseTo(z, 5);
  expectKernels(rowMetrics(rewards, wanted, z, { loss: kto, constants }), await readTensor(gpu(), metrics));
  expect(pointOfReference([-1, -2])).toBe(0);
  expect(pointOfReference([Number.NaN, 1])).toBeNaN();
});

it("lists", async () => {
  using _ = gpu().scope();
  const ranks = [
    [0, 1, 2],
    [1, 0, 1, 2],
    [0, 1],
  ];
  const rewards = ranks.map((own, i) => normals(3 + i, own.length));
  rewards[2]!.fill(0.5);
  const metrics = createTensor(gpu(), 1, metricColumns.count, "metrics");
  const targets = {
    gains: uploadTensor(gpu(), Float32Array.from(ranks.flatMap(gains)), 1, "gains"),
    offsets: uploadTensor(gpu(), Int32Array.of(0, 3, 7, 9), 1, "offsets"),
    metrics,
    row: 0,
  };
  const all = Float32Array.from(rewards.flatMap((own) => [...own]));
  plackettLuce.record(gpu(), uploadTensor(gpu(), all, 1, "rewards"), targets);
  expectKernels(listMetrics(rewards, ranks, plackettLuce), await readTensor(gpu(), metrics));
  expect(orderedPairs([1, 0, 1])).toEqual([
    [1, 0],
    [1, 2],
  ]);
});
