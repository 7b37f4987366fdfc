/** @file The generator against its authors' known answers, and what is built on it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { permutation, Random } from "../../src/data/random.ts";
import { philox4x32, type Words4 } from "../../src/kernels/philox.ts";

const hex = (words: Words4) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");
const ONES = 0xffffffff;

// The known-answer vectors published with Random123 (kat_vectors, philox4x32 10).
test("Philox4x32-10 gives the published answers", () => {
  expect(hex(philox4x32([0, 0, 0, 0], [0, 0]))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  expect(hex(philox4x32([ONES, ONES, ONES, ONES], [ONES, ONES]))).toBe("408f276d 41c83b0e a20bc7c6 6d5451fd");
  expect(hex(philox4x32([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]))).toBe(
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  );
});

test("a (seed, stream, index) gives one sequence; another of the three gives another", () => {
  const draw = (seed: number, stream: number, index: number) => {
    const random = new Random(seed, stream, index);
    return Array.from({ length: 9 }, () => random.uint32()).join();
  };
  expect(draw(5, 1, 0)).toBe(draw(5, 1, 0));
  const others = [draw(5, 1, 0), draw(6, 1, 0), draw(5 + 2 ** 32, 1, 0), draw(5, 2, 0), draw(5, 1, 1)];
  expect(new Set(others).size).toBe(others.length);
  expect(() => new Random(-1, 1)).toThrow(RangeError);
  expect(() => new Random(0.5, 1)).toThrow(RangeError);
});

test("uniform and normal have the moments that they should", () => {
  const random = new Random(1, 1);
  const n = 40_000;
  const uniforms = Array.from({ length: n }, () => random.uniform());
  const normals = Array.from({ length: n }, () => random.normal());
  const mean = (xs: number[], f: (x: number) => number) => xs.reduce((sum, x) => sum + f(x), 0) / n;
  expect(Math.min(...uniforms)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...uniforms)).toBeLessThan(1);
  // Five standard errors.
  expect(Math.abs(mean(uniforms, (x) => x) - 0.5)).toBeLessThan(5 / Math.sqrt(12 * n));
  expect(Math.abs(mean(normals, (x) => x))).toBeLessThan(5 / Math.sqrt(n));
  expect(Math.abs(mean(normals, (x) => x * x) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  expect(Math.abs(mean(normals, (x) => x ** 4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
});

test("below(n) is even over its range", () => {
  const random = new Random(2, 1);
  const counts = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < 14_000; i++) counts[random.below(7)]! += 1;
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(5 * Math.sqrt(2000));
});

test("a permutation holds every index once, and depends on the seed alone", () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(), (n, seed) => {
      const order = permutation(n, new Random(seed, 1));
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      expect(permutation(n, new Random(seed, 1))).toEqual(order);
    }),
  );
  expect(permutation(50, new Random(1, 1))).not.toEqual(permutation(50, new Random(2, 1)));
});
