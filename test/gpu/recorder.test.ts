/** @file What is recorded happens in its order: dispatches, host writes, copies; and the caches that make it cheap. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import { add, addNumber, download, upload } from "../support/add-number.ts";
import { useGpu } from "../support/gpu.ts";
import { runAccumulate, runFill, values } from "./kernels.ts";

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
  add(own, { buffer: a, offset: 0, size: 16 }, 1, 1);
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

it("refuses a buffer that is bound for reading and writing at once, by name", () => {
  using _ = gpu().scope();
  const x = upload(gpu(), [0], "hidden");
  expect(() => runAccumulate(gpu(), x, x, 1)).toThrow("accumulate: hidden is bound twice, once for writing");
});

it("a step is one submit, whatever it holds; nothing recorded is none", async () => {
  using _ = gpu().scope();
  const [x, sum] = [gpu().allocate(64, "x"), gpu().allocate(64, "sum")];
  const before = { ...gpu().recorder.stats };
  gpu().recorder.clear(sum, 0, 64);
  for (let i = 1; i <= 10; i++) {
    runFill(gpu(), x, 16, i);
    runAccumulate(gpu(), x, sum, 16);
  }
  expect(gpu().recorder.stats.submits).toBe(before.submits);
  expect(await values(gpu(), sum, 16)).toEqual(new Array(16).fill(55));
  const after = { dispatches: before.dispatches + 20, submits: before.submits + 1 };
  expect(gpu().recorder.stats).toMatchObject(after);
  await gpu().finish();
  expect(gpu().recorder.stats).toMatchObject(after);
});

it("kernels of one signature share bind groups; steps that repeat create none until buffers are given back", async () => {
  gpu().trim();
  const step = () => {
    using _ = gpu().scope();
    const [x, y] = [gpu().allocate(3000, "x"), gpu().allocate(3000, "y")];
    runFill(gpu(), x, 8, 1);
    add(gpu(), { buffer: x }, 8, 1);
    runFill(gpu(), y, 8, 2);
    runAccumulate(gpu(), x, y, 8);
  };
  const created = () => gpu().recorder.stats.bindGroupsCreated;
  const before = created();
  step();
  expect(created()).toBe(before + 3);
  step();
  await gpu().finish();
  step();
  expect(created()).toBe(before + 3);
  gpu().trim();
  step();
  expect(created()).toBe(before + 6);
  await gpu().finish();
});

it("a recording that is only collected does nothing: no dispatch, no clear, no copy", async () => {
  using _ = gpu().scope();
  const [x, y] = [upload(gpu(), [1, 1]), upload(gpu(), [2, 2])];
  const before = { ...gpu().recorder.stats };
  await gpu().warm(() => {
    runFill(gpu(), x, 2, 8);
    gpu().recorder.clear(x, 0, 8);
    gpu().recorder.copy(x, 0, y.raw, 0, 8);
  });
  expect(gpu().recorder.stats).toEqual(before);
  expect([await download(gpu(), x, 2), await download(gpu(), y, 2)]).toEqual([
    [1, 1],
    [2, 2],
  ]);
});
