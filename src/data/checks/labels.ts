/** @file What single labels say as a whole: only one of them, far more of one, or what length alone would say. */
import { replyLength } from "../null-baselines.ts";
import { findingOf } from "./finding.ts";
import { type CheckedSetOf, inSetsOf } from "./input.ts";

const LOW = 0.4;
const HIGH = 0.6;

/** Every row is wanted, or every one is not: there is nothing to tell apart. */
export const oneLabel = inSetsOf(["rows"], (set) => {
  const { wanted, unwanted } = tally(set);
  if (wanted > 0 && unwanted > 0) return [];
  const message = `all ${wanted + unwanted} ${set.name} rows are ${wanted > 0 ? "wanted" : "unwanted"}: nothing tells good replies from bad ones`;
  return findingOf("one-label", "warning", wheres(set), message, set.name);
});

/**
 * KTO's authors want the wanted rows' weight times their number over the unwanted ones' between 1 and 4/3
 * (arXiv 2402.01306, section 4.2; TRL warns of it too).
 */
export const labelBalance = inSetsOf(["rows"], (set) => {
  const { wanted, unwanted } = tally(set);
  if (set.name !== "training" || wanted === 0 || unwanted === 0) return [];
  const ratio = wanted / unwanted;
  if (ratio >= 1 && ratio <= 4 / 3) return [];
  const option =
    ratio > 1
      ? `--undesirable-weight ${ceil(ratio / (4 / 3))} to ${floor(ratio)}`
      : `--desirable-weight ${ceil(1 / ratio)} to ${floor(4 / 3 / ratio)}`;
  const message = `${wanted} wanted and ${unwanted} unwanted training rows: with weights of 1 one side outweighs the other; KTO's authors advise ${option}`;
  return findingOf("label-balance", "note", wheres(set), message, set.name);
});

/**
 * "Longer replies are wanted" (or shorter ones): the area under its ROC curve lies outside 0.40 to 0.60, and more than
 * three standard errors of a rule that knows nothing (Mann and Whitney 1947) from a half.
 */
export const labelLength = inSetsOf(["rows"], (set) => {
  const lengths = (label: boolean) =>
    set.examples
      .filter(({ record }) => record.wanted === label)
      .map(({ record }) => replyLength(record.content.replies[0] ?? ""));
  const [wanted, unwanted] = [lengths(true), lengths(false)];
  const area = areaUnderCurve(wanted, unwanted);
  const error = Math.sqrt((wanted.length + unwanted.length + 1) / (12 * wanted.length * unwanted.length));
  if (!(area < LOW || area > HIGH) || Math.abs(area - 0.5) <= 3 * error) return [];
  const word = area > HIGH ? "longer" : "shorter";
  const message = `"${word} replies are wanted" alone has an AUC of ${Math.max(area, 1 - area).toFixed(3)} on ${set.examples.length} ${set.name} rows: a model may learn length and nothing else`;
  return findingOf("label-length", "warning", wheres(set), message, set.name);
});

function tally({ examples }: CheckedSetOf<"rows">) {
  const wanted = examples.filter(({ record }) => record.wanted).length;
  return { wanted, unwanted: examples.length - wanted };
}

const wheres = ({ examples }: CheckedSetOf<"rows">) => examples.map(({ record }) => record.where);
const ceil = (value: number) => (Math.ceil(value * 100) / 100).toFixed(2);
const floor = (value: number) => (Math.floor(value * 100) / 100).toFixed(2);

/** Share of the pairs (one of each) in which the value of `above` is the larger one; ties count half. NaN where none. */
export function areaUnderCurve(above: readonly number[], below: readonly number[]): number {
  const sorted = [...below].sort((a, b) => a - b);
  const lower = (value: number, orEqual: boolean) => {
    let [from, to] = [0, sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const is = sorted[middle] ?? 0;
      if (is < value || (orEqual && is === value)) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  const wins = above.reduce((sum, value) => sum + (lower(value, false) + lower(value, true)) / 2, 0);
  return wins / (above.length * below.length);
}
