/** @file Checks of records that a test writes down, read with a tokenizer of nearly one id per character. */
import type { Finding, SetName } from "../../../src/data/checks/finding.ts";
import type { CheckedSet, CheckInput, TrainedEnding } from "../../../src/data/checks/input.ts";
import { runChecks } from "../../../src/data/checks/run-checks.ts";
import type { Content } from "../../../src/data/content.ts";
import type { PreferenceRecord } from "../../../src/data/preference.ts";
import type { TokeniseOptions } from "../../../src/data/tokenise.ts";
import { tokeniseAll } from "../../../src/data/tokenise-all.ts";

export const BOS = 1;
export const EOS = 2;
export const UNK = 3;
const special: Readonly<Record<string, number>> = { "^": BOS, $: EOS, "~": UNK, th: 4 };

/** A BOS, then characters in lower case; "^" spells out the BOS and "$" the EOS, "~" is unknown, "th" is one token. */
export const encoder = {
  bosTokenId: BOS,
  eosTokenId: EOS,
  unkTokenId: UNK,
  encode: (text: string, { addSpecialTokens }: { readonly addSpecialTokens: boolean }) => {
    const pieces = text.toLowerCase().match(/th|./gsu) ?? [];
    const ids = pieces.map((piece) => special[piece] ?? piece.charCodeAt(0));
    return Int32Array.from(addSpecialTokens ? [BOS, ...ids] : ids);
  },
};

/** A record without `where`; content as text fields or as ids. */
export interface Given {
  readonly prompt?: string;
  readonly chosen?: string;
  readonly rejected?: string;
  readonly ids?: readonly [readonly number[], readonly number[]];
  readonly promptIds?: readonly number[];
  readonly margin?: number;
  readonly label?: number;
  readonly id?: string | number;
}

export interface Setting {
  readonly eval?: readonly Given[];
  readonly maxLength?: number;
  readonly overlong?: "drop" | "left" | "right";
  readonly addEos?: boolean;
  readonly trained?: TrainedEnding;
  readonly padTokenId?: number;
  readonly maxPositions?: number;
}

/** What the checks find in training records "t:1", "t:2"... and held-out records "e:1"... */
export function findingsOf(train: readonly Given[], setting: Setting = {}): Finding[] {
  return runChecks(inputOf(train, setting));
}

export function inputOf(train: readonly Given[], setting: Setting = {}): CheckInput {
  const { maxLength = 200, overlong = "drop", maxPositions = 200, addEos = true } = setting;
  const recipe = { addEos, eosTokenId: EOS, readPosition: "last" } as const;
  const options = { encoder, recipe, vocabSize: 70_000, maxLength, overlong, measurePrompts: true };
  const held = setting.eval;
  return {
    sets: [
      checkedSet("training", train, options),
      ...(held === undefined ? [] : [checkedSet("held-out", held, options)]),
    ],
    recipe,
    trained: setting.trained,
    tokenizer: encoder,
    padTokenId: setting.padTokenId,
    maxPositions,
    maxLength,
    overlong,
  };
}

function checkedSet(name: SetName, given: readonly Given[], options: TokeniseOptions): CheckedSet {
  const records = given.map((g, i) => record(g, `${name === "training" ? "t" : "e"}:${i + 1}`));
  const { kept, leftOut } = tokeniseAll(records, options);
  const examples = kept.map(({ index, item }) => ({ record: records[index]!, item }));
  return { name, kind: "pairs", leftOut, examples };
}

function record(given: Given, where: string): PreferenceRecord {
  const { margin, label, id } = given;
  return {
    where,
    content: contentOf(given),
    ...(margin === undefined ? {} : { margin }),
    ...(label === undefined ? {} : { label }),
    extra: id === undefined ? {} : { id },
  };
}

function contentOf({ prompt = "", chosen = "", rejected = "", ids, promptIds = [] }: Given): Content {
  return ids === undefined
    ? { kind: "text", prompt, replies: [chosen, rejected] }
    : { kind: "ids", prompt: promptIds, replies: ids };
}

/** A finding in short: check, set, count, examples. */
export function short(findings: readonly Finding[]) {
  return findings.map(({ check, set, count, examples }) => [check, set, count, examples]);
}

/**
 * Pairs in which there is nothing to find: prompts and replies all differ, the longer side is chosen in every other pair.
 * @param from number of the first, so that two calls share nothing
 */
export function cleanPairs(count: number, from = 0): Given[] {
  const words = ["red", "sun", "ape", "ink", "oak", "log", "gum"];
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const [a = "", b = ""] = [words[n % 7], words[(n + 1 + (n % 5)) % 7]];
    const [short, long] = [`${a} ${n}.`, `${b} and ${a} ${n}!`];
    return {
      prompt: `say no ${n}: `,
      ...(n % 2 === 0 ? { chosen: short, rejected: long } : { chosen: long, rejected: short }),
      id: `pair-${n}`,
    };
  });
}
