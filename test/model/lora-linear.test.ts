/** @file A linear with low-rank updates against float64: outputs and every gradient, with and without dropout. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { pack } from "../../src/data/pack.ts";
import { addInto } from "../../src/kernels/add.ts";
import { uploadDropoutKeys } from "../../src/kernels/dropout.ts";
import { linear } from "../../src/model/operations.ts";
import type { LoraPart } from "../../src/model/weights.ts";
import { Tape } from "../../src/tensor/tape.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { dropoutMask } from "../reference/dropout.ts";
import { linear as reference, transpose } from "../reference/layers.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const device = useGpu();

/** Parts side by side, as q, k and v are, each with an update or without one. */
const cases = fc.record({
  ids: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 20 }),
  inputs: fc.integer({ min: 1, max: 21 }),
  parts: fc.array(
    fc.record({
      out: fc.integer({ min: 1, max: 13 }),
      r: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  p: fc.constantFrom(0, 0.4),
  seed: fc.nat({ max: 1e6 }),
});

it("equals its formula in value and gradients", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ ids, inputs, parts, p, seed }) => {
      const gpu = device();
      using _scope = gpu.scope();
      const rows = ids.length;
      const outputs = parts.reduce((sum, { out }) => sum + out, 0);
      const upload = (values: Float32Array, cols: number) => uploadTensor(gpu, values, cols, "values");
      const zeros = (count: number, cols: number) => upload(new Float32Array(count), cols);
      const [x, dy] = [normals(seed, rows * inputs), normals(seed + 1, rows * outputs)];
      const weight = normals(seed + 2, outputs * inputs);
      const tensors = { x: upload(x, inputs), weight: upload(weight, inputs) };

      let first = 0;
      const updates = parts.flatMap(({ out, r }, i) => {
        const begin = first;
        first += out;
        if (r === undefined) return [];
        const a = normals(seed + 10 + i, r * inputs);
        const b = normals(seed + 20 + i, out * r);
        return [{ i, begin, out, r, a, b, scale: 0.5 + i }];
      });
      const lora = updates.map(
        ({ i, begin, r, a, b, scale }): LoraPart => ({
          a: upload(a, inputs),
          b: upload(b, r),
          first: begin,
          scale,
          dropout: p === 0 ? undefined : { p, module: i },
        }),
      );
      const learned = lora.flatMap(({ a, b }) => [a, b]);
      const gradients = new Map(
        [tensors.x, ...learned].map((t) => [t, zeros(t.rows * t.cols, t.cols)] as const),
      );
      const batch = pack([{ sequences: [Int32Array.from(ids)] }]);
      const step = { seed, step: 3 };
      const dropout = { ...step, keys: uploadDropoutKeys(gpu, batch, rows) };

      const from = new Tape(gpu, gradients, addInto);
      const y = linear({ gpu, tape: from, dropout }, tensors.x, {
        weight: tensors.weight,
        bias: undefined,
        lora,
      });
      const own = readTensor(gpu, y);
      from.backward([[y, upload(dy, outputs)]]);
      const ownGradients = [...gradients.values()].map((t) => readTensor(gpu, t));
      from[Symbol.dispose]();

      const expected = reference(x, weight, inputs);
      const dx = reference(dy, transpose(weight, inputs), outputs);
      const truths: Float64Array[] = [];
      for (const { i, begin, out, r, a, b, scale } of updates) {
        const paths = ids.map((_, t) => ids.slice(0, t + 1));
        const mask =
          p === 0
            ? new Float64Array(x.length).fill(1)
            : dropoutMask({ p, ...step, module: i }, paths, inputs);
        const dropped = Float64Array.from(x, (v, k) => v * mask[k]!);
        const low = reference(dropped, a, inputs);
        const update = reference(low, b, r);
        const part = new Float64Array(rows * out);
        for (let t = 0; t < rows; t++) {
          for (let o = 0; o < out; o++) {
            expected[t * outputs + begin + o]! += scale * update[t * out + o]!;
            part[t * out + o] = scale * dy[t * outputs + begin + o]!;
          }
        }
        const dLow = reference(part, transpose(b, r), out);
        // d a = d low^T x and d b = d out^T low: products over the rows.
        truths.push(reference(transpose(dLow, r), transpose(dropped, inputs), rows));
        truths.push(reference(transpose(part, out), transpose(low, r), rows));
        const dDropped = reference(dLow, transpose(a, inputs), r);
        for (const [k, v] of dDropped.entries()) dx[k]! += v * mask[k]!;
      }
      const bound = 1e-5;
      expect(relativeError(await own, expected)).toBeLessThan(bound);
      const [ownDx, ...rest] = await Promise.all(ownGradients);
      expect(relativeError(ownDx!, dx)).toBeLessThan(bound);
      for (const [k, truth] of truths.entries()) expect(relativeError(rest[k]!, truth)).toBeLessThan(bound);
    }),
    { numRuns: 25 },
  );
});
