/** @file Rows that are a function of a number, so that any row that comes from a cache can be checked alone. */
import { rowKey } from "../../../src/train/feature-cache/keys.ts";
import type { Rows } from "../../../src/train/feature-cache/segment.ts";

export const width = 5;
export const space = (digit: string) => ({ id: digit.repeat(32), width });

export const keyOf = (n: number) => rowKey(Int32Array.of(n, n + 1), 1);

export function rowsOf(numbers: readonly number[]): Rows {
  const values = new Float32Array(numbers.length * width);
  for (const [i, n] of numbers.entries())
    values.set(
      Float32Array.from({ length: width }, (_, i) => Math.sin(n + 1000 * i)),
      i * width,
    );
  return { keys: numbers.map(keyOf), values };
}
