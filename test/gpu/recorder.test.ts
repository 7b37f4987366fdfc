/** @file What is recorded happens in its order: dispatches, host writes, copies; and the caches that make it cheap. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import { add, addNumber, download, upload } from "../support/add-number.ts";
import { useGpu } from "../support/gpu.ts";

const gpu = useGpu();

it("a host write comes after everything recorded that uses the buffer", async () => {
  using _ = gpu().scope();
  const a = upload(gpu(), [1]);
  const seen = gpu().allocate(8, "seen");
  add(gpu(), { buffer: a }, 1, 1);
  gpu().recorder.copy(a, 0, seen.raw, 0, 4);
  gpu().write(a, 0, Float32Array.of(100));
  add(gpu(), { buffer: a }, 1, 1);
  gpu().recorder.copy(a, 0, seen.raw, 4, 4);
  expect(await download(gpu(), seen, 2)).toEqual([2, 101]);
});

it("a write into an unused buffer does not cut the recording", async () => {
  using _ = gpu().scope();
  const a = upload(gpu(), [0]);
  const b = gpu().allocate(4, "b");
  add(gpu(), { buffer: a }, 1, 1);
  const { submits } = gpu().recorder.stats;
  gpu().write(b, 0, Float32Array.of(5));
  expect(gpu().recorder.stats.submits).toBe(submits);
  expect(await download(gpu(), b, 1)).toEqual([5]);
});

it("clear stands in the recorded order", async () => {
  using _ = gpu().scope();
  const a = upload(gpu(), [1, 2, 3]);
  add(gpu(), { buffer: a }, 3, 1);
  gpu().recorder.clear(a, 4, 4);
  add(gpu(), { buffer: a }, 3, 10);
  expect(await download(gpu(), a, 3)).toEqual([12, 10, 14]);
});

it("more dispatches than the uniform arena has slots: each keeps its own parameters", async () => {
  using _ = gpu().scope();
  const a = upload(gpu(), [0, 0]);
  const { submits } = gpu().recorder.stats;
  const count = 2500;
  for (let i = 0; i < count; i++) add(gpu(), { buffer: a }, 1 + (i % 2), i % 7);
  expect(gpu().recorder.stats.submits).toBeGreaterThan(submits);
  const terms = Array.from({ length: count }, (_, i) => i % 7);
  const all = terms.reduce((sum, x) => sum + x, 0);
  const odd = terms.reduce((sum, x, i) => sum + (i % 2 === 1 ? x : 0), 0);
  expect(await download(gpu(), a, 2)).toEqual([all, odd]);
});

it("work beyond the estimate of a submit is sent on the way", () => {
  using _ = gpu().scope();
  const a = upload(gpu(), [0]);
  const { submits } = gpu().recorder.stats;
  for (let i = 0; i < 3; i++) {
    gpu().recorder.dispatch(addNumber, {
      bindings: [{ buffer: a }],
      params: { count: 1, number: 1 },
      workgroups: 1,
      work: 1e12,
    });
  }
  expect(gpu().recorder.stats.submits).toBe(submits + 2);
});

it("the same buffers again: no new bind group; destroyed ones leave the cache", async () => {
  using own = await openGpu();
  const a = own.allocatePersistent(16, "a");
  own.write(a, 0, new Float32Array(4));
  add(own, { buffer: a }, 4, 1);
  const groups = () => own.recorder.stats.bindGroupsCreated;
  const before = groups();
  for (let i = 0; i < 5; i++) add(own, { buffer: a }, i, 1);
  await own.finish();
  add(own, { buffer: a }, 1, 1);
  expect(groups()).toBe(before);
  add(own, { buffer: a, offset: 256 - 256, size: 16 }, 1, 1);
  expect(groups()).toBe(before + 1);
  own.release(a);
  own.trim();
  const b = own.allocatePersistent(16, "b");
  own.write(b, 0, new Float32Array(4));
  add(own, { buffer: b }, 4, 2);
  expect(await download(own, b, 4)).toEqual([2, 2, 2, 2]);
  expect(groups()).toBe(before + 2);
});

it("grids fold into two dimensions where one is too small", async () => {
  using own = await openGpu({ limits: { maxWorkgroups: 13 } });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 169 }), async (count) => {
      using _ = own.scope();
      const a = upload(own, new Array(200).fill(1));
      add(own, { buffer: a }, count, 2);
      expect(await download(own, a, 200)).toEqual(Array.from({ length: 200 }, (_, i) => (i < count ? 3 : 1)));
    }),
    { numRuns: 15 },
  );
  using _ = own.scope();
  expect(() => add(own, { buffer: upload(own, [0]) }, 170, 1)).toThrow("add_number: 170 workgroups");
});

it("refuses missing parameters, missing bindings and a buffer bound twice for writing", () => {
  using _ = gpu().scope();
  const buffer = upload(gpu(), [0]);
  const call = (params: object, count: number) => () =>
    gpu().recorder.dispatch(addNumber, {
      bindings: new Array(count).fill({ buffer }),
      params: params as { count: number; number: number },
      workgroups: 1,
    });
  expect(call({ count: 1 }, 1)).toThrow("add_number: Params.number is missing");
  expect(call({ count: 1, number: 1 }, 2)).toThrow("add_number takes 1 bindings, not 2");
});
