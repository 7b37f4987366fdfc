/** @file The same example more than once: with the same answer, with the opposite one, and ids that stand twice. */
import { preferredSide } from "../label.ts";
import { findingOf, plural } from "./finding.ts";
import {
  type AnyChecked,
  type CheckedSetOf,
  type CheckInput,
  examplesIn,
  examplesOf,
  inSetsOf,
} from "./input.ts";
import { Interner } from "./interner.ts";

/** Copies beyond the first: the same prompt, replies and label. They weigh more than the others. */
export const duplicatePairs = inSetsOf(["pairs"], (set) => {
  const interner = new Interner();
  const copies = repeated(set.examples, ({ record }) =>
    [...interner.pair(record.content), record.label ?? 1].join(),
  );
  const rows = copies.map(({ record }) => record.where);
  const message = `${plural(rows.length, `${set.name} pair`)} repeating an earlier one in prompt, both replies and label: they weigh more than the others`;
  return findingOf("duplicate-pairs", "warning", rows, message, set.name);
});

/** Pairs of which the opposite stands there too: a over b, and b over a, for one prompt. */
export const contradictoryPairs = inSetsOf(["pairs"], (set) => {
  const rows = contradictions(set);
  const message = `${plural(rows.length, `${set.name} pair`)} contradicting each other: for the same prompt now one reply is preferred, now the other (votes are better said by one record with a label between 0 and 1)`;
  return findingOf("contradictory-pairs", "warning", rows, message, set.name);
});

function contradictions({ examples }: CheckedSetOf<"pairs">): string[] {
  const interner = new Interner();
  const seen = new Map<string, number>();
  const directed = examples.map(({ record }) => {
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

/** Copies of rows, lists and texts beyond the first: the same prompt and replies with the same label or order. */
export const duplicateRecords = inSetsOf(["rows", "lists", "texts"], (set) => {
  const interner = new Interner();
  const examples: readonly AnyChecked[] = set.examples;
  const copies = repeated(examples, ({ record }) =>
    [...interner.all(record.content), answerOf(record)].join(),
  );
  const rows = copies.map(({ record }) => record.where);
  const said = {
    rows: "prompt, reply and label",
    lists: "prompt, replies and order",
    texts: "every character",
  };
  const message = `${examplesOf(set, rows.length)} repeating an earlier one in ${said[set.kind]}: they weigh more than the others`;
  return findingOf("duplicate-records", "warning", rows, message, set.name);
});

/** What is said of the replies. */
function answerOf(record: AnyChecked["record"]): string {
  if ("wanted" in record) return String(record.wanted);
  return "ranks" in record ? String(record.ranks?.join(" ")) : "";
}

/** Rows of the same prompt and reply, now wanted and now unwanted. */
export const contradictoryRows = inSetsOf(["rows"], (set) => {
  const interner = new Interner();
  const answers = new Map<string, Set<boolean>>();
  const keyed = set.examples.map(({ record }) => {
    const key = interner.all(record.content).join();
    answers.set(key, (answers.get(key) ?? new Set()).add(record.wanted));
    return { key, where: record.where };
  });
  const rows = keyed.filter(({ key }) => answers.get(key)?.size === 2).map(({ where }) => where);
  const message = `${examplesOf(set, rows.length)} contradicting each other: the same reply to the same prompt is now wanted, now unwanted`;
  return findingOf("contradictory-rows", "warning", rows, message, set.name);
});

/** Records whose `id` an earlier record of the same file has too. */
export function duplicateIds({ sets }: CheckInput) {
  const named = sets
    .flatMap(examplesIn)
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
