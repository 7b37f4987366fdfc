/** @file The check of the data alone: what a run would read, and what is wrong with it. No device is opened. */
import type { Finding, SetName } from "../data/checks/finding.ts";
import type { TokeniseCounts } from "../data/tokenise-all.ts";
import { openModelFolder } from "../model/model-folder.ts";
import { findTokenizer } from "../model/tokenizer.ts";
import { checkOptions } from "./check-options.ts";
import type { PairSet } from "./dataset.ts";
import { type TrainOptions, trainDefaults } from "./options.ts";
import { inspect } from "./prepare.ts";

/** The options of a run that say what is read, and as what. */
export type CheckArguments = Pick<TrainOptions, "model" | "data"> & Partial<Omit<TrainOptions, "out">>;

/** Lengths in tokens as the model reads them; at the quantile q, the smallest that q of the sequences reach. */
export interface Lengths {
  readonly median: number;
  readonly p90: number;
  readonly longest: number;
}

/** What was read of one set. */
export interface SetSummary extends TokeniseCounts {
  readonly set: SetName;
  /** Pairs that a run would use. */
  readonly used: number;
  readonly chosen: Lengths;
  readonly rejected: Lengths;
}

export interface CheckResult {
  readonly sets: readonly SetSummary[];
  /** How training and held-out pairs were told apart, in words. */
  readonly splitBy: string;
  /** Tokens that a sequence may have. */
  readonly maxLength: number;
  readonly findings: readonly Finding[];
}

/**
 * Reads, tokenises and checks everything that `train` with the same options would.
 * @param note is told what a run would tell before its findings, such as lines that were skipped
 * @throws InputError for input that can't be read at all, naming file, line and reason
 */
export async function checkData(
  given: CheckArguments,
  note: (text: string) => void = () => {},
): Promise<CheckResult> {
  const options = { ...trainDefaults, ...given };
  checkOptions({ ...options, out: "." });
  await using folder = await openModelFolder(options.model);
  const found = await findTokenizer(options.model);
  const { dataset, findings, maxLength } = await inspect(options, folder, found, note);
  const { train, eval: held, splitBy } = dataset;
  const sets = [summarise("training", train), ...(held === undefined ? [] : [summarise("held-out", held)])];
  return { sets, splitBy, maxLength, findings };
}

function summarise(set: SetName, { pairs, counts }: PairSet): SetSummary {
  const lengths = (reply: number) =>
    quantiles(pairs.flatMap(({ item }) => item.sequences[reply]?.length ?? []));
  return { set, ...counts, used: pairs.length, chosen: lengths(0), rejected: lengths(1) };
}

/** Zeros where there is no sequence. */
function quantiles(lengths: readonly number[]): Lengths {
  const sorted = Int32Array.from(lengths).sort();
  const at = (q: number) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
  return { median: at(0.5), p90: at(0.9), longest: at(1) };
}
