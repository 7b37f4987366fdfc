/** @file Measured durations: by the device's timestamps, or by the clock where it has none. */
import { expect, it } from "vitest";
import { type Gpu, openGpu } from "../../src/gpu/gpu.ts";
import { add, addNumber, download, upload } from "../support/add-number.ts";

async function measured(gpu: Gpu, times: number): Promise<number> {
  using _ = gpu.scope();
  const count = 60_000;
  const a = upload(gpu, new Array(count).fill(0));
  const { seconds } = await gpu.time(() => {
    for (let i = 0; i < times; i++) {
      // Each would fill a submit: a timed pass must stay whole nevertheless.
      gpu.recorder.dispatch(addNumber, {
        bindings: [{ buffer: a }],
        params: { count, number: 1 },
        workgroups: count,
        work: 1e12,
      });
    }
  });
  expect((await download(gpu, a, count)).every((x) => x === times)).toBe(true);
  return seconds;
}

it.each([
  ["the device's timestamps, where it has them", []],
  ["the clock", ["timestamp-query"]],
])("%s: more work takes longer", async (_, exclude) => {
  using gpu = await openGpu({ exclude });
  const { source } = await gpu.time(() => {});
  expect(source).toBe(gpu.facts.features.has("timestamp-query") ? "timestamp" : "wall");
  await measured(gpu, 1);
  const least = async (times: number) =>
    Math.min(await measured(gpu, times), await measured(gpu, times), await measured(gpu, times));
  const one = await least(1);
  expect(one).toBeGreaterThan(0);
  expect(await least(12)).toBeGreaterThan(4 * one);
});

it("a timed pass that is too long says so, and the device goes on", async () => {
  using gpu = await openGpu();
  using _ = gpu.scope();
  const a = upload(gpu, [0]);
  const tooLong = () => {
    for (let i = 0; i < 1025; i++) add(gpu, { buffer: a }, 1, 1);
  };
  await expect(gpu.time(tooLong)).rejects.toThrow("at most 1024 dispatches");
  add(gpu, { buffer: a }, 1, 1);
  await gpu.finish();
});
