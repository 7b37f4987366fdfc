/** @file Preference records as training and evaluation pairs of token ids, with the counts of what was left out. */
import { type PreferenceRecord, readPreferences } from "../data/preference.ts";
import { splitByPrompt } from "../data/split.ts";
import {
  type TokeniseCounts,
  type TokenisedContent,
  type TokeniseOptions,
  tokeniseAll,
} from "../data/tokenise.ts";
import { InputError } from "../errors.ts";
import { defaultEvalSplit, type TrainOptions } from "./options.ts";

export interface Pair {
  readonly record: PreferenceRecord;
  /** Sequences [chosen, rejected]. */
  readonly item: TokenisedContent;
  readonly margin: number;
}

export interface PairSet {
  readonly pairs: readonly Pair[];
  readonly counts: TokeniseCounts;
}

export interface Dataset {
  readonly train: PairSet;
  /** Undefined: the run has no evaluation. */
  readonly eval: PairSet | undefined;
  /** How the two were told apart, in words. */
  readonly splitBy: string;
}

type Source = Pick<TrainOptions, "data" | "evalData" | "evalSplit" | "seed">;

/**
 * Reads and splits the records and turns them into ids.
 * @throws InputError naming file, line and reason; or when nothing is left to train on
 */
export async function loadDataset(source: Source, tokenise: TokeniseOptions): Promise<Dataset> {
  const { train, held, splitBy } = await splitRecords(source);
  const trainSet = pairSet(train, tokenise);
  if (trainSet.pairs.length === 0) {
    throw new InputError(
      `${source.data}: none of ${train.length} pairs is left to train on; all are longer than --max-length ${tokenise.maxLength}. Raise it, or use --truncate left or right`,
    );
  }
  return { train: trainSet, eval: held.length === 0 ? undefined : pairSet(held, tokenise), splitBy };
}

interface Records {
  readonly train: readonly PreferenceRecord[];
  readonly held: readonly PreferenceRecord[];
  readonly splitBy: string;
}

async function splitRecords({ data, evalData, evalSplit, seed }: Source): Promise<Records> {
  const records = await readPreferences(data);
  if (evalData !== undefined)
    return { train: records, held: await readPreferences(evalData), splitBy: evalData };
  if (evalSplit === undefined && hasSplitField(records)) {
    const held = records.filter((r) => r.extra.split === "eval");
    return {
      train: records.filter((r) => r.extra.split === "train"),
      held,
      splitBy: 'the records\' field "split"',
    };
  }
  const share = evalSplit ?? defaultEvalSplit;
  const split = splitByPrompt(
    records.map((r) => r.content),
    share,
    seed,
  );
  const pick = (indices: readonly number[]) => indices.flatMap((i) => records[i] ?? []);
  return {
    train: pick(split.train),
    held: pick(split.eval),
    splitBy: `${share} of the prompts, drawn with seed ${seed}`,
  };
}

/** Records that all say "train" or "eval", both occurring, come with their own split. */
function hasSplitField(records: readonly PreferenceRecord[]): boolean {
  const values = new Set(records.map((r) => r.extra.split));
  return values.size === 2 && values.has("train") && values.has("eval");
}

function pairSet(records: readonly PreferenceRecord[], options: TokeniseOptions): PairSet {
  const { kept, counts } = tokeniseAll(records, options);
  const pairs = kept.flatMap(({ index, item }): Pair[] => {
    const record = records[index];
    return record === undefined ? [] : [{ record, item, margin: record.margin ?? 0 }];
  });
  return { pairs, counts };
}
