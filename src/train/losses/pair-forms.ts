/** @file Losses of pairs from their formulas: soft labels, margins, constants and the kernel are put around them here. */
import { type PairLossKernel, pairLoss } from "../../kernels/pair-loss.ts";
import {
  type DifferenceLoss,
  defaultConstants,
  type LossConstants,
  type LossFacts,
  type PairLoss,
  type PairPoint,
} from "./loss.ts";

type Facts = Omit<LossFacts, "differences">;

/** A loss and its slope. */
export type Point = readonly [loss: number, slope: number];

/**
 * A loss of d = r_w - r_l - m.
 * @param of of a difference and a label in [0, 1]
 */
export function differenceLoss(
  facts: Facts,
  kernel: PairLossKernel,
  of: (difference: number, label: number, constants: LossConstants) => Point,
): DifferenceLoss {
  return {
    ...facts,
    kind: "pairs",
    differences: true,
    record: recorder(kernel),
    ofPair: (difference, label, constants = defaultConstants) => of(difference, label, constants)[0],
    slope: (difference, label, constants = defaultConstants) => of(difference, label, constants)[1],
    at: (chosen, rejected, { margin, label }, constants = defaultConstants) => {
      const [loss, slope] = of(chosen - rejected - margin, label, constants);
      return { loss, chosen: slope, rejected: -slope };
    },
  };
}

/** The label p of a loss of differences that are right for sure: its mean, p of d and 1 - p of -d. */
export function expected(
  of: (difference: number, constants: LossConstants) => Point,
): (difference: number, label: number, constants: LossConstants) => Point {
  return (difference, label, constants) => {
    const [right, wrong] = [of(difference, constants), of(-difference, constants)];
    return [label * right[0] + (1 - label) * wrong[0], label * right[1] - (1 - label) * wrong[1]];
  };
}

/**
 * A loss of both rewards; a soft label takes the mean over both sides' being the better one.
 * @param of of the better and the worse reply's reward
 */
export function absoluteLoss(
  facts: Facts,
  kernel: PairLossKernel,
  of: (better: number, worse: number, constants: LossConstants) => PairPoint,
): PairLoss {
  return {
    ...facts,
    kind: "pairs",
    differences: false,
    record: recorder(kernel),
    at: (chosen, rejected, { label }, constants = defaultConstants) => {
      const [right, wrong] = [of(chosen, rejected, constants), of(rejected, chosen, constants)];
      const mean = (a: number, b: number) => label * a + (1 - label) * b;
      return {
        loss: mean(right.loss, wrong.loss),
        chosen: mean(right.chosen, wrong.rejected),
        rejected: mean(right.rejected, wrong.chosen),
      };
    },
  };
}

function recorder(kernel: PairLossKernel): PairLoss["record"] {
  return (gpu, rewards, targets, { beta, labelSmoothing, discopopTau } = defaultConstants) =>
    pairLoss(gpu, kernel, rewards, targets, { beta, smoothing: labelSmoothing, tau: discopopTau });
}

/** p where labels are exchanged with probability `flips`. */
export const smoothed = (label: number, flips: number): number => flips + (1 - 2 * flips) * label;
