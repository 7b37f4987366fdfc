/** @file The check of the data alone: what a run would read, and what is wrong with it. No device is opened. */
import type { Finding, SetName } from "../data/checks/finding.ts";
import { detectKind } from "../data/detect-kind.ts";
import type { ExampleKind } from "../data/example-kind.ts";
import type { TokeniseCounts } from "../data/tokenise-all.ts";
import { openModelFolder } from "../model/model-folder.ts";
import { findTokenizer } from "../model/tokenizer.ts";
import { checkOptions } from "./check-options.ts";
import type { TrainingSet } from "./dataset.ts";
import { type TrainOptions, trainDefaults } from "./options.ts";
import { inspect } from "./prepare.ts";

/** The options of a run that say what is read, and as what. */
export type CheckArguments = Pick<TrainOptions, "model" | "data"> &
  Partial<Omit<TrainOptions, "out">> & {
    /** What the records are read as; default: what the first one is. */
    readonly kind?: ExampleKind | undefined;
  };

/** Lengths in tokens as the model reads them; at the quantile q, the smallest that q of the sequences reach. */
export interface Lengths {
  readonly median: number;
  readonly p90: number;
  readonly longest: number;
}

/** What was read of one set. */
export interface SetSummary extends TokeniseCounts {
  readonly set: SetName;
  /** Examples that a run would use. */
  readonly used: number;
  /** By name: of pairs chosen and rejected, of rows wanted and unwanted, else all sequences. */
  readonly lengths: Readonly<Record<string, Lengths>>;
}

export interface CheckResult {
  readonly kind: ExampleKind;
  readonly sets: readonly SetSummary[];
  /** How training and held-out examples were told apart, in words. */
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
  { kind: named, ...given }: CheckArguments,
  note: (text: string) => void = () => {},
): Promise<CheckResult> {
  const options = { ...trainDefaults, ...given };
  checkOptions({ ...options, out: "." });
  await using folder = await openModelFolder(options.model);
  const found = await findTokenizer(options.model);
  const kind = named ?? (await detectKind(options.data, options.columns));
  const { dataset, findings, maxLength } = await inspect(options, folder, found, note, kind);
  const { train, eval: held, splitBy } = dataset;
  const sets = [summarise("training", train), ...(held === undefined ? [] : [summarise("held-out", held)])];
  return { kind, sets, splitBy, maxLength, findings };
}

function summarise(set: SetName, { counts, ...rest }: TrainingSet): SetSummary {
  const lengths = Object.entries(lengthsOf(rest)).map(([name, all]) => [name, quantiles(all)]);
  return { set, ...counts, used: rest.examples.length, lengths: Object.fromEntries(lengths) };
}

/** Lengths of all sequences, by what they are. */
function lengthsOf(set: Omit<TrainingSet, "counts">): Record<string, number[]> {
  const { kind, examples } = set as TrainingSet;
  const of = (some: TrainingSet["examples"], reply?: number) =>
    some.flatMap(({ item: { sequences } }) =>
      (reply === undefined ? sequences : sequences.slice(reply, reply + 1)).map((ids) => ids.length),
    );
  if (kind === "pairs") return { chosen: of(examples, 0), rejected: of(examples, 1) };
  if (kind !== "rows") return { [kind === "lists" ? "replies" : "texts"]: of(examples) };
  return { wanted: of(examples.filter((e) => e.wanted)), unwanted: of(examples.filter((e) => !e.wanted)) };
}

/** Zeros where there is no sequence. */
function quantiles(lengths: readonly number[]): Lengths {
  const sorted = Int32Array.from(lengths).sort();
  const at = (q: number) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
  return { median: at(0.5), p90: at(0.9), longest: at(1) };
}
