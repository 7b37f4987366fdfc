/** @file The numbers of one evaluation that several sections tell of, each computed once. */
import { type Accuracy, pairAccuracy } from "../../data/null-baselines.ts";
import { type Difference, pairedDifference } from "../../data/paired-difference.ts";
import { type Calibration, calibrate } from "../calibration.ts";
import { type PairLossOf, type PairMetrics, type PairRewards, pairMetrics } from "../evaluate.ts";
import type { HeldOut } from "./held-out.ts";

export interface Results {
  readonly step: number;
  readonly rewards: PairRewards;
  /** [n] reward of the better reply less that of the other; of the chosen less the rejected one where neither is better. */
  readonly margins: Float64Array;
  readonly metrics: PairMetrics;
  readonly accuracy: Accuracy;
  readonly calibration: Calibration;
  /** The better of the two length rules, picked on these very pairs. */
  readonly rule: { readonly name: "longer" | "shorter"; readonly accuracy: number };
  /** How much more often the model is right than that rule. */
  readonly overRule: Difference;
}

export function resultsOf(
  heldOut: HeldOut,
  step: number,
  rewards: PairRewards,
  centering: number,
  objective?: PairLossOf,
): Results {
  const { chosen, rejected } = rewards;
  const { pairs, labels, sides, decided, lengthDifferences, baselines } = heldOut;
  const given = Float64Array.from(chosen, (r, i) => r - rejected[i]!);
  const margins = given.map((m, i) => (sides[i] === -1 ? -m : m));
  const { longer, shorter } = baselines;
  const name = longer >= shorter ? "longer" : "shorter";
  const sign = name === "longer" ? 1 : -1;
  return {
    step,
    rewards,
    margins,
    metrics: pairMetrics(rewards, pairs, centering, objective),
    accuracy: pairAccuracy(chosen, rejected, labels),
    calibration: calibrate(given, labels),
    rule: { name, accuracy: Math.max(longer, shorter) },
    overRule: pairedDifference(
      Float64Array.from(decided, (i) => (margins[i]! > 0 ? 1 : 0)),
      Float64Array.from(decided, (i) => (1 + Math.sign(sign * lengthDifferences[i]!)) / 2),
    ),
  };
}
