/** @file Packed batches over random forests: nothing lost, nothing twice, never more tokens than the sequences have. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Item, pack, planBatches } from "../../src/data/pack.ts";
import { type PackedBatch, rowOf, sequenceLength } from "../../src/kernels/packed-batch.ts";

// Two ids and short prompts, so that common prefixes, equal and nested sequences are frequent.
const ids = (minLength: number, maxLength: number) =>
  fc.array(fc.nat(1), { minLength, maxLength }).map((list) => Int32Array.from(list));
const prompts = [
  Int32Array.of(),
  Int32Array.of(1),
  Int32Array.of(1, 0, 1, 1),
  Int32Array.of(1, 0, 1, 1, 0, 0),
];
const item: fc.Arbitrary<Item> = fc
  .record({
    prompt: fc.nat(prompts.length - 1),
    replies: fc.array(ids(1, 6), { minLength: 1, maxLength: 4 }),
    grouped: fc.boolean(),
  })
  .map(({ prompt, replies, grouped }) => ({
    sequences: replies.map((reply) => Int32Array.from([...prompts[prompt]!, ...reply])),
    ...(grouped ? { group: `prompt ${prompt}` } : {}),
  }));
const items = fc.array(item, { maxLength: 12 });

const sequencesOf = (list: readonly Item[]) => list.flatMap((each) => [...each.sequences]);
const total = (list: readonly Item[]) =>
  sequencesOf(list).reduce((sum, sequence) => sum + sequence.length, 0);
const segmentsOf = (batch: PackedBatch) =>
  Array.from({ length: batch.segments.length / 4 }, (_, s) => {
    const [parentStart = 0, parentLength = 0, start = 0, length = 0] = batch.segments.subarray(
      4 * s,
      4 * s + 4,
    );
    return { parentStart, parentLength, start, length };
  });

/** Segments cover the rows in order; a leaf's parent is a whole root that stands before it. */
function checkSegments(batch: PackedBatch): void {
  let row = 0;
  const rootEnds = new Map<number, number>();
  for (const { parentStart, parentLength, start, length } of segmentsOf(batch)) {
    expect(start).toBe(row);
    expect(length).toBeGreaterThan(0);
    if (parentLength > 0) {
      expect(rootEnds.get(parentStart)).toBe(parentStart + parentLength);
    } else rootEnds.set(start, start + length);
    for (let i = 0; i < length; i++) expect(batch.positions[row + i]).toBe(parentLength + i);
    row += length;
  }
  expect(row).toBe(batch.rows);
  expect([batch.ids.length, batch.positions.length]).toEqual([row, row]);
}

test("every sequence is recovered along its path, and owns the segment in which it ends", () => {
  fc.assert(
    fc.property(items, (list) => {
      const batch = pack(list);
      const sequences = sequencesOf(list);
      expect(batch.sequenceSegments.length).toBe(sequences.length);
      for (const [n, sequence] of sequences.entries()) {
        expect(sequenceLength(batch, n)).toBe(sequence.length);
        const recovered = sequence.map((_, p) => batch.ids[rowOf(batch, n, p)]!);
        expect(recovered).toEqual(sequence);
        sequence.forEach((_, p) => {
          expect(batch.positions[rowOf(batch, n, p)]).toBe(p);
        });
      }
      expect(new Set(batch.sequenceSegments).size).toBe(sequences.length);
      checkSegments(batch);
      const longest = Math.max(0, ...sequences.map((sequence) => sequence.length));
      expect([batch.maxPath, batch.paddedTokens]).toEqual([longest, longest * sequences.length]);
    }),
    { numRuns: 300 },
  );
});

test("no more tokens than the items packed one by one, nor those than their sequences' lengths", () => {
  fc.assert(
    fc.property(items, (list) => {
      const alone = list.reduce((sum, each) => sum + pack([each]).rows, 0);
      expect(pack(list).rows).toBeLessThanOrEqual(alone);
      expect(alone).toBeLessThanOrEqual(total(list));
      expect(pack(list)).toEqual(pack(list));
    }),
  );
});

test("a plan holds every item once, keeps to its budget, and is the same each time", () => {
  fc.assert(
    fc.property(
      items,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 13 }),
      (list, budget, window) => {
        const plan = planBatches(list, budget, window);
        expect(plan.flat().sort((a, b) => a - b)).toEqual(list.map((_, i) => i));
        for (const batch of plan) {
          expect(batch.length).toBeGreaterThan(0);
          const { rows } = pack(batch.map((i) => list[i]!));
          if (batch.length > 1) expect(rows).toBeLessThanOrEqual(budget);
        }
        expect(planBatches(list, budget, window)).toEqual(plan);
      },
    ),
    { numRuns: 300 },
  );
});

const sequence = (...list: number[]) => Int32Array.from(list);

test("a pair is a prompt and two leaves; the prompt ends one token before the shorter side does", () => {
  const batch = pack([{ sequences: [sequence(5, 6, 7, 8), sequence(5, 6, 9)] }]);
  expect([...batch.segments]).toEqual([0, 0, 0, 2, 0, 2, 2, 2, 0, 2, 4, 1]);
  expect([...batch.ids]).toEqual([5, 6, 7, 8, 9]);
  expect([...batch.positions]).toEqual([0, 1, 2, 3, 2]);
  expect([...batch.sequenceSegments]).toEqual([1, 2]);
  const nested = pack([{ sequences: [sequence(5, 6, 7), sequence(5, 6)] }]);
  expect([...nested.segments]).toEqual([0, 0, 0, 1, 0, 1, 1, 2, 0, 1, 3, 1]);
  const identical = pack([{ sequences: [sequence(5, 6), sequence(5, 6)] }]);
  expect([...identical.ids]).toEqual([5, 6, 6]);
});

test("no common prefix, single tokens and lone texts have no parent", () => {
  const batch = pack([
    { sequences: [sequence(1, 2), sequence(2, 2)] },
    { sequences: [sequence(3), sequence(3)] },
  ]);
  expect([...batch.segments]).toEqual([0, 0, 0, 2, 0, 0, 2, 2, 0, 0, 4, 1, 0, 0, 5, 1]);
  expect([...pack([{ sequences: [sequence(1, 2)] }]).segments]).toEqual([0, 0, 0, 2]);
});

test("records with equal prompts share one parent where that saves tokens", () => {
  const prompt = [1, 2, 3, 4, 5, 6];
  const a = { group: "p", sequences: [sequence(...prompt, 7, 8), sequence(...prompt, 7, 9)] };
  const b = { group: "p", sequences: [sequence(...prompt, 8), sequence(...prompt, 9)] };
  const other = { group: "q", sequences: [sequence(...prompt, 8), sequence(...prompt, 9)] };
  // a alone shares seven tokens, b six; together six, four times.
  expect(pack([a, b]).rows).toBe(6 + 2 + 2 + 1 + 1);
  expect([...pack([a, other, b]).sequenceSegments]).toEqual([1, 2, 6, 7, 3, 4]);
  // Sharing only the first token would cost more than two trees of their own.
  const far = { group: "p", sequences: [sequence(1, 3, 3, 3, 3, 4), sequence(1, 3, 3, 3, 3, 5)] };
  expect(pack([a, far]).rows).toBe(pack([a]).rows + pack([far]).rows);
  // Lone replies to one prompt share it too; without a group their common start is chance.
  const lone = [
    { group: "p", sequences: [sequence(1, 2, 3)] },
    { group: "p", sequences: [sequence(1, 2, 4)] },
  ];
  expect(pack(lone).rows).toBe(4);
  expect(pack(lone.map(({ sequences }) => ({ sequences }))).rows).toBe(6);
});

test("nothing packs to an empty batch and plans to no batches; an empty sequence is refused", () => {
  expect(pack([])).toMatchObject({ rows: 0, maxPath: 0, paddedTokens: 0 });
  expect(planBatches([], 10)).toEqual([]);
  expect(() => pack([{ sequences: [sequence()] }])).toThrow(/empty sequence/);
  expect(() => pack([{ sequences: [] }])).toThrow(/without sequences/);
});

test("an item over the budget is alone; the others fill their batches, longest first", () => {
  const lengths = [3, 20, 5, 2, 5];
  const list = lengths.map((length) => ({ sequences: [new Int32Array(length)] }));
  expect(planBatches(list, 10)).toEqual([[1], [2, 4], [0, 3]]);
});

test("a prompt's records go to one batch while it has room", () => {
  const reply = (prompt: number, last: number) => [prompt, prompt, prompt, prompt, last];
  const list = [1, 2, 1, 2].map((p, i) => ({ group: `${p}`, sequences: [sequence(...reply(p, 10 + i))] }));
  expect(planBatches(list, 6)).toEqual([
    [0, 2],
    [1, 3],
  ]);
});
