/** @file KTO's mismatched sequences: no prompt keeps its own reply, every reply is used once. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { mismatched } from "../../src/data/mismatch.ts";

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
