/** @file The float64 gradients against finite differences of the float64 forward operations. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { relativeError } from "./error.ts";
import { finiteDifferences, inner } from "./finite-differences.ts";
import * as gradients from "./layer-gradients.ts";
import * as layers from "./layers.ts";
import * as pointwise from "./pointwise.ts";
import { values } from "./values.ts";

const shape = fc.record({
  rows: fc.integer({ min: 1, max: 4 }),
  width: fc.integer({ min: 1, max: 9 }),
  seed: fc.nat({ max: 1000 }),
});
const bound = 1e-7;

it.each(["rmsNorm", "layerNorm"] as const)("%s", (norm) => {
  fc.assert(
    fc.property(shape, ({ rows, width, seed }) => {
      const eps = 1e-2;
      const x = values(rows * width, seed);
      const gain = values(width, seed + 1);
      const bias = values(width, seed + 2);
      const dy = values(rows * width, seed + 3);
      const loss = (xs: Float64Array, gs: Float64Array) =>
        inner(dy, norm === "rmsNorm" ? layers.rmsNorm(xs, gs, eps) : layers.layerNorm(xs, gs, bias, eps));
      const { dx, dGain } = (norm === "rmsNorm" ? gradients.rmsNormGradient : gradients.layerNormGradient)(
        dy,
        x,
        gain,
        eps,
      );
      expect(relativeError([...dx, 1], [...finiteDifferences((xs) => loss(xs, gain), x), 1])).toBeLessThan(
        bound,
      );
      expect(relativeError([...dGain, 1], [...finiteDifferences((gs) => loss(x, gs), gain), 1])).toBeLessThan(
        bound,
      );
      const biasDifferences = finiteDifferences((bs) => inner(dy, layers.layerNorm(x, gain, bs, eps)), bias);
      expect(relativeError(gradients.biasGradient(dy, width), biasDifferences)).toBeLessThan(bound);
    }),
    { numRuns: 20 },
  );
});

it("softmax", () => {
  fc.assert(
    fc.property(shape, ({ rows, width, seed }) => {
      const x = values(rows * width, seed).map((v) => 3 * v);
      const dy = values(rows * width, seed + 1);
      const expected = finiteDifferences((xs) => inner(dy, layers.softmax(xs, width)), x);
      const actual = gradients.softmaxGradient(dy, layers.softmax(x, width), width);
      expect(relativeError([...actual, 1], [...expected, 1])).toBeLessThan(bound);
    }),
    { numRuns: 20 },
  );
});

it("swiglu", () => {
  fc.assert(
    fc.property(shape, ({ rows, width, seed }) => {
      const gateUp = values(rows * 2 * width, seed).map((v) => 4 * v);
      const dy = values(rows * width, seed + 1);
      const forward = (xs: Float64Array) => {
        const half = (first: number) =>
          Float64Array.from(
            { length: dy.length },
            (_, i) => xs[Math.floor(i / width) * 2 * width + first + (i % width)]!,
          );
        return pointwise.swiglu(half(0), half(width));
      };
      const expected = finiteDifferences((xs) => inner(dy, forward(xs)), gateUp);
      expect(relativeError(gradients.swigluGradient(dy, gateUp, width), expected)).toBeLessThan(bound);
    }),
    { numRuns: 20 },
  );
});

it("gelu in both forms", () => {
  const x = values(200, 1).map((v) => 5 * v);
  const forms = [
    [gradients.geluTanhSlope, pointwise.geluTanh],
    [gradients.geluErfSlope, pointwise.geluErf],
  ] as const;
  for (const [slope, forward] of forms) {
    const expected = x.map((v) => finiteDifferences(([at]) => forward(at!), [v])[0]!);
    expect(relativeError(x.map(slope), expected)).toBeLessThan(bound);
  }
});

it("embedding, with a skipped id", () => {
  const [vocabulary, width] = [5, 3];
  const ids = [4, 1, 4, 0, 2, 2, 4];
  const dy = values(ids.length * width, 3);
  const table = values(vocabulary * width, 4);
  const expected = finiteDifferences((t) => inner(dy, layers.embedding(t, ids, width)), table);
  expect(relativeError(gradients.embeddingGradient(dy, ids, vocabulary, width), expected)).toBeLessThan(
    bound,
  );
  const skipped = gradients.embeddingGradient(dy, ids, vocabulary, width, 2);
  expect([...skipped.subarray(6, 9)]).toEqual([0, 0, 0]);
  expect(skipped.subarray(9)).toEqual(gradients.embeddingGradient(dy, ids, vocabulary, width).subarray(9));
});
