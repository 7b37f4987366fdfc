/** @file linear against float64; its variants and a row alone, bit for bit; NaN and Inf. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import {
  canRun,
  type LinearVariant,
  linear,
  linearBaseline,
  linearKernels,
  linearVariants,
} from "../../src/kernels/linear.ts";
import { type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import * as reference from "../reference/layers.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { rounded, uploadWeight, type WeightDtype, weightDtypes } from "../support/weights.ts";

const gpu = useGpu();
/** Six workgroups per dimension fold all but the smallest grids. */
const folding = useGpu({ limits: { maxWorkgroups: 6 } });
/** Weights over 4 KiB go in windows. */
const windowing = useGpu({ limits: { maxBinding: 4096, maxWorkgroups: 3 } });

interface Case {
  readonly rows: number;
  readonly k: number;
  readonly outs: number;
  readonly dtype: WeightDtype;
  readonly bias: boolean;
  readonly into: boolean;
  readonly seed: number;
}

const cases = (rows: number, k: number, outs: number): fc.Arbitrary<Case> =>
  fc.record({
    rows: fc.integer({ min: 0, max: rows }),
    k: fc.integer({ min: 1, max: k }),
    outs: fc.integer({ min: 1, max: outs }),
    dtype: fc.constantFrom(...weightDtypes),
    bias: fc.boolean(),
    into: fc.boolean(),
    seed: fc.nat(),
  });

const inputs = ({ rows, k, outs, bias, into, seed }: Case) => ({
  x: normals(seed, rows * k),
  w: normals(seed + 1, outs * k),
  bias: bias ? normals(seed + 2, outs) : undefined,
  into: into ? normals(seed + 3, rows * outs) : undefined,
});

/** All of y as stored, padding included. */
async function stored(device: ReturnType<typeof gpu>, y: Tensor): Promise<Uint32Array> {
  return new Uint32Array(await device.read(y.buffer, 0, y.rows * y.rowBytes));
}

async function run(device: ReturnType<typeof gpu>, c: Case, variant?: LinearVariant, dtype = c.dtype) {
  using _ = device.scope();
  const { x, w, bias, into } = inputs(c);
  const y = linear(
    device,
    uploadTensor(device, x, c.k, "x"),
    uploadWeight(device, rounded(w, c.dtype), c.k, dtype),
    {
      ...(variant === undefined ? {} : { variant }),
      ...(bias === undefined ? {} : { bias: uploadTensor(device, bias, c.outs, "bias") }),
      ...(into === undefined ? {} : { into: uploadTensor(device, into, c.outs, "y") }),
    },
  );
  return { bits: await stored(device, y), stride: y.stride };
}

/** [rows, outs] without padding, which has to be zeros. */
function values(bits: Uint32Array, stride: number, cols: number): Float32Array {
  const all = new Float32Array(bits.buffer);
  expect(
    all.every((v, i) => i % stride < cols || Object.is(v, 0)),
    "padding is 0",
  ).toBe(true);
  return all.filter((_, i) => i % stride < cols);
}

const runnable = () => linearVariants.filter((v) => canRun(gpu(), v));

it("linear equals float64; all variants, dtypes of equal values and folded grids give equal bits", async () => {
  await fc.assert(
    fc.asyncProperty(cases(80, 70, 110), async (c) => {
      const baseline = await run(gpu(), c, linearBaseline);
      const { x, w, bias, into } = inputs(c);
      const expected = reference
        .linear(x, rounded(w, c.dtype), c.k, bias)
        .map((v, i) => v + (into?.[i] ?? 0));
      expect(relativeError(values(baseline.bits, baseline.stride, c.outs), expected)).toBeLessThan(1e-5);
      for (const variant of runnable()) {
        expect((await run(gpu(), c, variant)).bits, variant).toEqual(baseline.bits);
        expect((await run(folding(), c, variant)).bits, `${variant}, folded`).toEqual(baseline.bits);
      }
      expect((await run(gpu(), c)).bits, "by default").toEqual(baseline.bits);
      expect((await run(gpu(), c, undefined, "f32")).bits, "as f32").toEqual(baseline.bits);
    }),
    { numRuns: 20 },
  );
});

it("a weight in windows of rows gives the bits of a weight in one binding", async () => {
  await fc.assert(
    fc.asyncProperty(cases(8, 40, 120), async (c) => {
      const plain = await run(gpu(), c);
      for (const variant of runnable())
        expect((await run(windowing(), c, variant)).bits, variant).toEqual(plain.bits);
    }),
    { numRuns: 20 },
  );
});

it("a row alone has the bits that it has in a batch", async () => {
  await fc.assert(
    fc.asyncProperty(cases(40, 100, 60), fc.nat(), async (c, at) => {
      fc.pre(c.rows > 0);
      using _ = gpu().scope();
      const { x, w } = inputs(c);
      const r = at % c.rows;
      const weight = uploadWeight(gpu(), w, c.k, c.dtype);
      const batch = linear(gpu(), uploadTensor(gpu(), x, c.k, "x"), weight);
      const row = uploadTensor(gpu(), x.slice(r * c.k, (r + 1) * c.k), c.k, "row");
      expect(await stored(gpu(), linear(gpu(), row, weight))).toEqual(
        (await stored(gpu(), batch)).slice(r * batch.stride, (r + 1) * batch.stride),
      );
    }),
    { numRuns: 20 },
  );
});

it("NaN and Inf in x reach their row and no other, in a weight their column and no other", async () => {
  const [rows, k, outs] = [9, 6, 7];
  using _ = gpu().scope();
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const variant of runnable()) {
      const x = normals(1, rows * k);
      const w = normals(2, outs * k);
      x[4 * k + 5] = bad;
      const poisoned = linear(
        gpu(),
        uploadTensor(gpu(), x, k, "x"),
        uploadWeight(gpu(), normals(2, outs * k), k, "bf16"),
        {
          variant,
        },
      );
      values(await stored(gpu(), poisoned), poisoned.stride, outs).forEach((v, i) => {
        expect(Number.isFinite(v), `${variant}: ${bad} in row 4, output ${i}`).toBe(
          Math.floor(i / outs) !== 4,
        );
      });
      w[3 * k + 2] = bad;
      for (const dtype of weightDtypes) {
        const y = linear(
          gpu(),
          uploadTensor(gpu(), normals(1, rows * k), k, "x"),
          uploadWeight(gpu(), w, k, dtype),
          {
            variant,
          },
        );
        values(await stored(gpu(), y), y.stride, outs).forEach((v, i) => {
          expect(Number.isFinite(v), `${variant}: ${bad} in ${dtype} weight 3, output ${i}`).toBe(
            i % outs !== 3,
          );
        });
      }
    }
  }
});

it("shapes that do not fit are refused by the operation's name", () => {
  using _ = gpu().scope();
  const tensor = (rows: number, cols: number) => uploadTensor(gpu(), normals(1, rows * cols), cols, "t");
  const [x, w] = [tensor(2, 3), tensor(5, 3)];
  expect(() => linear(gpu(), x, tensor(5, 4))).toThrow(/linear x/);
  expect(() => linear(gpu(), x, w, { bias: tensor(1, 4) })).toThrow(/linear bias/);
  expect(() => linear(gpu(), x, w, { into: tensor(2, 4) })).toThrow(/linear y/);
});

it("every variant compiles without a device", async () => {
  using bare = await openGpu({ backend: "null" });
  await bare.pipelines.warm(linearKernels);
});
