/**
 * @file Evaluates a reward model on preference pairs: the reading, the rewards and the measures of a training run's
 * closing evaluation, so that both say the same of the same pairs, bit for bit.
 */

import { type Accuracy, type LengthBaselines, lengthBaselines } from "../data/null-baselines.ts";
import type { Columns } from "../data/sources/columns.ts";
import type { Overlong } from "../data/tokenise.ts";
import type { TokeniseCounts } from "../data/tokenise-all.ts";
import { InputError } from "../errors.ts";
import { loadDataset, type Pair } from "../train/dataset.ts";
import { type Evaluation, evaluate, type GroupAccuracy, groupAccuracies } from "../train/evaluate.ts";
import { fieldsOf, membersBy } from "../train/groups.ts";
import { checkPositions, type RunOptions } from "../train/run-batches.ts";
import type { Scorer } from "./scorer.ts";

export interface EvalOptions extends Partial<RunOptions> {
  /** Fields to break the accuracy down by. Default: every field with 2 to 20 values. */
  readonly groupBy?: readonly string[] | undefined;
  /** Tokens that a sequence may have. Default: no limit but the model's learned positions. */
  readonly maxLength?: number | undefined;
  /** What happens to a longer one. Default "drop": its pair is left out and counted. */
  readonly overlong?: Overlong | undefined;
  /** Our fields' names to the records' own. */
  readonly columns?: Columns | undefined;
  readonly skipBadLines?: boolean | undefined;
}

/** A group with what the length rules score on it. */
export interface EvalGroup extends GroupAccuracy {
  readonly baselines: LengthBaselines;
}

export interface EvalResult extends Omit<Evaluation, "groups"> {
  readonly counts: TokeniseCounts;
  /** Of all pairs, by field and then by the field's value. */
  readonly by: ReadonlyMap<string, readonly EvalGroup[]>;
}

/** Most values of a field that is broken down without being asked for. */
export const mostGroups = 20;

/**
 * @param data files of preference records, as training reads them
 * @param note is told what was found while reading
 * @throws InputError naming file, line and reason; where no pair is left; or for a field that no record has
 */
export async function evaluateModel(
  model: Scorer,
  data: string | readonly string[],
  options: EvalOptions = {},
  note: (text: string) => void = () => {},
): Promise<EvalResult> {
  const { recipe, found, config } = model;
  const { maxLength, overlong = "drop", columns, skipBadLines } = options;
  // A share of 0: all pairs come as one set.
  const source = { data, evalSplit: 0, seed: 0, columns, skipBadLines };
  const tokenise = { encoder: found.tokenizer, missing: found.missing, recipe, vocabSize: config.vocabSize };
  const limited = { ...tokenise, maxLength, overlong };
  const { train: set } = await loadDataset(source, model.chats, limited, note);
  const { pairs, counts } = set;
  if (pairs.length === 0) {
    throw new InputError(
      `none of ${counts.records} pairs is left to evaluate: ${counts.dropped} are longer than --max-length, ${counts.identical} have equal sides`,
    );
  }
  const fields = groupFields(pairs, options.groupBy);
  const rewards = await pairRewards(model, pairs, options);
  const { groups: _, ...evaluation } = evaluate(pairs, rewards, 0, "");
  const by = new Map([...fields].map(([field, members]) => [field, groupsOf(pairs, members, rewards)]));
  return { counts, ...evaluation, by };
}

async function pairRewards(model: Scorer, pairs: readonly Pair[], options: Partial<RunOptions>) {
  for (const { item, record } of pairs)
    for (const ids of item.sequences) checkPositions(model.backbone, ids.length, record.where);
  const scored = await model.scoreItems(
    pairs.map((p) => p.item),
    options,
  );
  const side = (reply: number) => Float32Array.from(scored, (pair) => pair[reply]?.reward ?? Number.NaN);
  return { chosen: side(0), rejected: side(1) };
}

type Members = NonNullable<ReturnType<typeof membersBy>>;

/** The fields to break down by, each with its values' pairs. @throws InputError for a field that no record has */
function groupFields(pairs: readonly Pair[], wanted: readonly string[] | undefined): Map<string, Members> {
  const fields = fieldsOf(pairs);
  const missing = wanted?.find((field) => !fields.includes(field));
  if (missing !== undefined) {
    const there = fields.length === 0 ? "they have none" : `there are: ${fields.join(", ")}`;
    throw new InputError(`--group-by ${missing}: no record has this field (${there})`);
  }
  return new Map(
    (wanted ?? fields).flatMap((field) => {
      const members = membersBy(pairs, field, wanted === undefined ? mostGroups : undefined);
      const told = members !== undefined && (wanted !== undefined || members.size > 1);
      return told ? [[field, members] as const] : [];
    }),
  );
}

function groupsOf(
  pairs: readonly Pair[],
  members: Members,
  rewards: Parameters<typeof groupAccuracies>[1],
): EvalGroup[] {
  const labels = pairs.map((p) => p.label);
  return groupAccuracies(members, rewards, labels).map((group) => {
    const indices = members.get(group.group) ?? [];
    const contents = indices.flatMap((i) => pairs[i]?.record.content ?? []);
    const baselines = lengthBaselines(
      contents,
      indices.map((i) => labels[i] ?? 1),
    );
    return { ...group, baselines };
  });
}

/** An accuracy by the names of `rmtrain eval --json`. */
const accuracyJson = ({ n, accuracy, low, high, ties }: Accuracy, { longer, shorter }: LengthBaselines) => ({
  n,
  accuracy,
  interval_95: [low, high],
  ties,
  always_longer: longer,
  always_shorter: shorter,
});

/** Plain data for JSON, with the names of `score --summary` and metrics.jsonl. */
export function evalJson({ counts, accuracy, baselines, metrics, by }: EvalResult) {
  const { loss, margin, min_reward, mean_reward, max_reward } = metrics;
  const groups = [...by].map(([field, values]) => [
    field,
    values.map((value) => ({ value: value.group, ...accuracyJson(value, value.baselines) })),
  ]);
  return {
    records: counts.records,
    left_out: { too_long: counts.dropped, equal_sides: counts.identical },
    truncated: counts.truncated,
    ...accuracyJson(accuracy, baselines),
    loss,
    mean_margin: margin,
    min_reward,
    mean_reward,
    max_reward,
    by: Object.fromEntries(groups),
  };
}
