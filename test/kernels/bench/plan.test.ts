/** @file The order in which the benchmark's cases run, its estimates, and rows from samples. */
import { expect, test } from "vitest";
import { rowOf } from "../../../src/kernels/bench/measure.ts";
import { Estimates, priority, spread } from "../../../src/kernels/bench/plan.ts";

const ceilings = { flopsPerSecond: 1e9, bytesPerSecond: 1e9 };
const work = (name: string, flops: number) => ({ name, shape: `${flops}`, flops, bytes: 0 });

test("spread: the last, the first, then those between, each once", () => {
  expect(spread(0)).toEqual([]);
  expect(spread(1)).toEqual([0]);
  expect(spread(2)).toEqual([1, 0]);
  expect(spread(5)).toEqual([4, 0, 2, 1, 3]);
  for (const count of [3, 6, 7, 20]) {
    expect([...spread(count)].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  }
});

test("every kernel's largest quick shape comes first, then its smallest, then the others; slow shapes last", () => {
  // At the usual share of 0.2, 5e6 FLOP take 25 ms.
  const cases = [
    work("a", 1e3),
    work("a", 2e6),
    work("a", 4e6),
    work("a", 5e9),
    work("b", 1e5),
    work("b", 9e8),
    work("slow", 3e9),
    work("slow", 2e9),
  ];
  const order = priority(cases, new Estimates(ceilings)).map(({ name, flops }) => `${name} ${flops}`);
  expect(order).toEqual([
    "a 4000000",
    "b 100000",
    "slow 2000000000",
    "a 1000",
    "a 2000000",
    "b 900000000",
    "slow 3000000000",
    "a 5000000000",
  ]);
});

test("an estimate follows what the kernel reached", () => {
  const estimates = new Estimates(ceilings);
  const before = estimates.run(work("a", 1e9));
  estimates.learn("a", 0.5);
  expect(before).toBeCloseTo(5, 2);
  expect(estimates.run(work("a", 1e9))).toBeCloseTo(2, 2);
  expect(estimates.run(work("b", 1e9))).toBe(before);
  expect(estimates.row(work("a", 1e9))).toBeGreaterThanOrEqual(4 * 2);
});

test("a row's rates come from the median, its share from the nearer ceiling", () => {
  const samples = { times: [4, 1, 2], source: "wall", first: 5, chosen: true } as const;
  const arithmetic = rowOf({ name: "a", shape: "s", flops: 1e9, bytes: 1e8 }, ceilings, samples);
  expect(arithmetic).toMatchObject({
    seconds: 2,
    low: 1.5,
    high: 3,
    runs: 3,
    firstSeconds: 3,
    flopsPerSecond: 5e8,
    bytesPerSecond: 5e7,
    limit: "fma",
    share: 0.5,
  });
  const memory = rowOf({ name: "a", shape: "s", flops: 1e8, bytes: 1e9 }, ceilings, samples);
  expect(memory).toMatchObject({ limit: "copy", share: 0.5 });
});
