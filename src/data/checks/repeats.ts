/** @file The same pair more than once: with the same answer, with the opposite one, and ids that stand twice. */
import { preferredSide } from "../label.ts";
import { findingOf, plural } from "./finding.ts";
import { type CheckedSet, type CheckInput, inEachSet } from "./input.ts";
import { Interner } from "./interner.ts";

/** Copies beyond the first: the same prompt, replies and label. They weigh more than the others. */
export const duplicatePairs = inEachSet((set) => {
  const interner = new Interner();
  const copies = repeated(set.pairs, ({ record }) =>
    [...interner.pair(record.content), record.label ?? 1].join(),
  );
  const rows = copies.map(({ record }) => record.where);
  const message = `${plural(rows.length, `${set.name} pair`)} repeating an earlier one in prompt, both replies and label: they weigh more than the others`;
  return findingOf("duplicate-pairs", "warning", rows, message, set.name);
});

/** Pairs of which the opposite stands there too: a over b, and b over a, for one prompt. */
export const contradictoryPairs = inEachSet((set) => {
  const rows = contradictions(set);
  const message = `${plural(rows.length, `${set.name} pair`)} contradicting each other: for the same prompt now one reply is preferred, now the other (votes are better said by one record with a label between 0 and 1)`;
  return findingOf("contradictory-pairs", "warning", rows, message, set.name);
});

function contradictions({ pairs }: CheckedSet): string[] {
  const interner = new Interner();
  const seen = new Map<string, number>();
  const directed = pairs.map(({ record }) => {
    const [prompt, chosen, rejected] = interner.pair(record.content);
    const side = preferredSide(record.label ?? 1);
    // 1: the reply with the smaller number is preferred, 2: the other one; 0: neither.
    const direction = side === 0 ? 0 : side > 0 === chosen < rejected ? 1 : 2;
    const key = [prompt, Math.min(chosen, rejected), Math.max(chosen, rejected)].join();
    seen.set(key, (seen.get(key) ?? 0) | direction);
    return { where: record.where, key, direction };
  });
  return directed
    .filter(({ key, direction }) => direction !== 0 && seen.get(key) === 3)
    .map(({ where }) => where);
}

/** Records whose `id` an earlier record of the same file has too. */
export function duplicateIds({ sets }: CheckInput) {
  const named = sets
    .flatMap(({ pairs }) => pairs)
    .filter(({ record }) => typeof record.extra.id === "string" || typeof record.extra.id === "number");
  const copies = repeated(named, ({ record }) =>
    JSON.stringify([record.where.slice(0, record.where.lastIndexOf(":")), record.extra.id]),
  );
  const rows = copies.map(({ record }) => record.where);
  const message = `${plural(rows.length, "record")} with an id that an earlier record has: ids don't tell these apart`;
  return findingOf("duplicate-ids", "note", rows, message);
}

/** Those whose key an earlier one has. */
function repeated<T>(items: readonly T[], key: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const { size } = seen;
    return seen.add(key(item)).size === size;
  });
}
