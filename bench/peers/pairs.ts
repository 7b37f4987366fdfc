/** @file Real pairs as token ids: texts of RMTRAIN_SHARED's hh-harmless where it is given, else examples/prefs.jsonl. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadTokenizer } from "../../src/model/tokenizer.ts";

/** The prompt stands before each reply. */
export interface TokenPair {
  readonly prompt: readonly number[];
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
}

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Longer sequences than this are left out, as TRL leaves them out. */
const maxLength = 512;

export interface RealPairs {
  readonly pairs: readonly TokenPair[];
  /** For a reader. */
  readonly source: string;
}

/** The first pairs of the file that are short enough, in the tokens of models/base. */
export async function realPairs(count: number): Promise<RealPairs> {
  const shared = process.env.RMTRAIN_SHARED;
  const file = shared ? join(shared, "data/hh-harmless/train.jsonl") : join(root, "examples/prefs.jsonl");
  const tokenizer = await loadTokenizer(join(root, "models/base"));
  const ids = (text: string) => [...tokenizer.encode(text, { addSpecialTokens: false })];
  const pairs: TokenPair[] = [];
  for (const line of (await readFile(file, "utf8")).split("\n")) {
    if (pairs.length === count) break;
    const { prompt, chosen, rejected } = JSON.parse(line) as Readonly<Record<keyof TokenPair, string>>;
    const pair = { prompt: ids(prompt), chosen: ids(chosen), rejected: ids(rejected) };
    if (sequencesOf(pair).every(({ length }) => length <= maxLength)) pairs.push(pair);
  }
  return { pairs, source: shared ? "hh-harmless" : "examples/prefs.jsonl" };
}

export const sequencesOf = ({ prompt, chosen, rejected }: TokenPair) => [
  [...prompt, ...chosen],
  [...prompt, ...rejected],
];

/** Tokens of all sequences; what a padded batch of them has; and what is left where each prompt is computed once. */
export function tokenCounts(pairs: readonly TokenPair[]) {
  const lengths = pairs.flatMap((pair) => sequencesOf(pair).map(({ length }) => length));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
  const real = sum(lengths);
  return {
    real,
    padded: lengths.length * Math.max(...lengths),
    shared: real - sum(pairs.map(({ prompt }) => prompt.length)),
  };
}
