/** @file A rehearsal tells the peak of the work it rehearses, and leaves no trace. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { GpuBuffer } from "../../src/gpu/buffers.ts";
import { OutOfMemoryError } from "../../src/gpu/errors.ts";
import { type Gpu, openGpu } from "../../src/gpu/gpu.ts";
import { add } from "../support/add-number.ts";

const open = (memoryBudget = 2 ** 30) => openGpu({ backend: "null", memoryBudget });
const traces = (gpu: Gpu) => ({ ...gpu.memory, ...gpu.recorder.stats, recording: gpu.recorder.recording });

type Action = { readonly bytes: number; readonly release: number | undefined; readonly inner: boolean };
const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.record({
    bytes: fc.integer({ min: 0, max: 2 ** 20 }),
    release: fc.option(fc.nat(), { nil: undefined }),
    inner: fc.boolean(),
  }),
  { maxLength: 20 },
);

/** Allocates, works on and releases buffers, some within scopes of their own. */
function work(gpu: Gpu, list: readonly Action[]): void {
  using scope = gpu.scope();
  const held: GpuBuffer[] = [];
  const use = (bytes: number) => {
    const buffer = gpu.allocate(bytes, "work");
    gpu.write(buffer, 0, Float32Array.of(1, 2));
    gpu.recorder.clear(buffer, 0, 16);
    add(gpu, { buffer }, 2, 1);
    return buffer;
  };
  for (const { bytes, release, inner } of list) {
    if (inner) {
      using _inner = gpu.scope();
      use(bytes);
      use(bytes / 2);
    } else held.push(use(bytes));
    const [dropped] = release === undefined || held.length === 0 ? [] : held.splice(release % held.length, 1);
    if (dropped !== undefined) scope.release(dropped);
  }
}

it("gives exactly what the same work takes, with what is in use before, and changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(actions, fc.integer({ min: 0, max: 2 ** 20 }), async (list, resident) => {
      using gpu = await open();
      const persistent = gpu.allocatePersistent(resident, "weights");
      const before = traces(gpu);
      const expected = gpu.rehearse(() => work(gpu, list));
      expect(traces(gpu)).toEqual(before);
      gpu.resetPeak();
      work(gpu, list);
      const { peak, peakHeld } = gpu.memory;
      expect(expected).toMatchObject({ peak, held: peakHeld });
      gpu.release(persistent);
    }),
    { numRuns: 30 },
  );
});

it("goes past the budget, since it is asked what would fit, but not past the largest buffer", async () => {
  using gpu = await openGpu({ backend: "null", memoryBudget: 2 ** 20, limits: { maxBuffer: 2 ** 24 } });
  expect(gpu.rehearse(() => void gpu.allocate(2 ** 22, "large")).peak).toBe(2 ** 22);
  expect(() => gpu.allocate(2 ** 22, "large")).toThrow(OutOfMemoryError);
  expect(() => gpu.rehearse(() => void gpu.allocate(2 ** 25, "larger"))).toThrow(OutOfMemoryError);
  // A rehearsal that failed is over.
  expect(gpu.allocate(256, "small").rehearsed).toBe(false);
});

it("refuses what would leave a trace, by name", async () => {
  using gpu = await open();
  const real = gpu.allocatePersistent(256, "weights");
  expect(() => gpu.rehearse(() => void gpu.allocatePersistent(256, "tables"))).toThrow(/tables outlives/);
  expect(() => gpu.rehearse(() => gpu.release(real))).toThrow(/weights does not belong/);
  expect(() => gpu.rehearse(() => void gpu.rehearse(() => {}))).toThrow(/does not hold another/);
  const kept: GpuBuffer[] = [];
  const keep = () => {
    using scope = gpu.scope();
    const buffer = gpu.allocate(300, "kept");
    scope.keep(buffer);
    kept.push(buffer);
  };
  expect(() => gpu.rehearse(keep)).toThrow(/must release what it allocates; 512/);
  const [buffer] = kept;
  if (buffer === undefined) throw new Error("nothing was kept");
  expect(() => add(gpu, { buffer }, 1, 1)).toThrow(/kept was allocated in a rehearsal/);
  expect(() => gpu.release(buffer)).toThrow(/kept does not belong/);
  expect(real.live).toBe(true);
});
