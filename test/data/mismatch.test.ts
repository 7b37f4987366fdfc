/** @file KTO's mismatched sequences: no prompt keeps its own reply, every reply is used once. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { mismatched, mismatchedInBlocks } from "../../src/data/mismatch.ts";

const row = (prompt: readonly number[], reply: readonly number[], group?: string) => ({
  item: { sequences: [Int32Array.from([...prompt, ...reply])], ...(group === undefined ? {} : { group }) },
  replyStarts: [prompt.length],
});

it("the reply of the row before, of the last row for the first", () => {
  const rows = [row([1, 2], [3], "p"), row([4], [5, 6]), row([7, 8], [9, 10, 11])];
  const found = mismatched(rows, 4).map(({ item, replyStarts }) => [
    [...item.sequences[0]!],
    replyStarts,
    item.group,
  ]);
  expect(found).toEqual([
    [[1, 2, 9, 10], [2], "p"],
    [[4, 3], [1], undefined],
    [[7, 8, 5, 6], [2], undefined],
  ]);
});

it("of two rows and more no reply stays with its prompt, and each is used once", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { minLength: 2, maxLength: 9 }), (lengths) => {
      const rows = lengths.map((n, i) => row([1 + i], [...Array(n + 1).fill(100 + i)]));
      const found = mismatched(rows).map(({ item }) => [...item.sequences[0]!]);
      const replies = found.map(([, first]) => (first ?? 0) - 100);
      for (const [i, ids] of found.entries()) {
        expect(ids[0]).toBe(1 + i);
        expect(replies[i]).not.toBe(i);
        expect(ids.length).toBe(2 + lengths[replies[i]!]!);
      }
      expect([...replies].sort()).toEqual([...lengths.keys()].sort());
    }),
  );
});

it("two replies to one prompt are not exchanged, unless there is no other prompt", () => {
  const replies = (rows: readonly (readonly [number, number])[]) =>
    mismatched(rows.map(([prompt, reply]) => row([prompt], [reply]))).map(({ item }) => [
      ...item.sequences[0]!,
    ]);
  expect(
    replies([
      [1, 11],
      [1, 12],
      [2, 21],
      [2, 22],
    ]),
  ).toEqual([
    [1, 22],
    [1, 22],
    [2, 12],
    [2, 12],
  ]);
  expect(
    replies([
      [1, 11],
      [1, 12],
    ]),
  ).toEqual([
    [1, 12],
    [1, 11],
  ]);
});

it("blocks keep to themselves, and a last row by itself joins the block before it", () => {
  const rows = [1, 2, 3, 4, 5].map((n) => row([n], [10 * n]));
  const replies = (size: number) => mismatchedInBlocks(rows, size).map(({ item }) => item.sequences[0]![1]);
  expect(replies(2)).toEqual([20, 10, 50, 30, 40]);
  expect(replies(3)).toEqual([30, 10, 20, 50, 40]);
  expect(replies(9)).toEqual([50, 10, 20, 30, 40]);
  expect(() => mismatchedInBlocks(rows, 1)).toThrow("two rows");
  expect(() => mismatchedInBlocks(rows.slice(0, 1), 4)).toThrow("two rows");
});
