/** @file What the benchmarks count on: order, warm-up, and the statistics of a standing. */
import { expect, test } from "vitest";
import { clocked, interleave } from "../../bench/lib/interleave.ts";

test("contestants take turns, the first of a round rotates, and warm-ups aren't counted", async () => {
  const order: string[] = [];
  const contestant = (name: string, seconds: number[]) => ({
    name,
    run: async () => {
      order.push(name);
      return seconds.shift()!;
    },
  });
  const standings = await interleave(
    [
      contestant("a", [100, 1, 2, 3, 4]),
      contestant("b", [100, 8, 8, 5, 5]),
      contestant("c", [0, 9, 1, 1, 1]),
    ],
    { rounds: 4 },
  );
  expect(order.join("")).toBe("abcbcacababcbca");
  expect(standings).toEqual([
    { name: "a", median: 2.5, best: 1, low: 1.75, high: 3.25 },
    { name: "b", median: 6.5, best: 5, low: 5, high: 8 },
    { name: "c", median: 1, best: 1, low: 1, high: 3 },
  ]);
});

test("no rounds and runs that give no time are refused", async () => {
  const run = async () => Number.NaN;
  await expect(interleave([{ name: "a", run }], { rounds: 0 })).rejects.toThrow("0 rounds");
  await expect(interleave([{ name: "a", run }], { rounds: 1 })).rejects.toThrow("a run of a took NaN");
});

test("a clocked run takes at least as long as its work", async () => {
  const seconds = await clocked(() => new Promise((done) => setTimeout(done, 20)));
  expect(seconds).toBeGreaterThan(0.015);
});
