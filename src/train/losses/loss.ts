/** @file What a preference loss is: a function of rewards and of what the data say about them, and of nothing else. */
import type { Gpu } from "../../gpu/gpu.ts";
import type { ListLossTargets } from "../../kernels/list-loss.ts";
import type { PairLossTargets } from "../../kernels/pair-loss.ts";
import type { RowLossTargets } from "../../kernels/row-loss.ts";
import type { TextLossTargets } from "../../kernels/text-loss.ts";
import type { Tensor } from "../../tensor/tensor.ts";

export const lossNames = [
  "logistic",
  "robust",
  "hinge",
  "ipo",
  "exo",
  "discopop",
  "nca",
  "bco",
  "sppo",
  "apo-zero",
  "apo-down",
  "kto",
  "plackett-luce",
  "lipo",
  "nll",
  "cringe",
] as const;
export type LossName = (typeof lossNames)[number];

/** What a formula needs beside rewards and targets. */
export interface LossConstants {
  /** β of r = β ρ, above 0; 1 where rewards have no such scale. Only losses with a scale of their own read it. */
  readonly beta: number;
  /** ε in [0, 1/2): the share of labels that are wrong. */
  readonly labelSmoothing: number;
  /** DiscoPOP's τ in (0, 1]. */
  readonly discopopTau: number;
  /** KTO's λ_D and λ_U. */
  readonly desirableWeight: number;
  readonly undesirableWeight: number;
  /** CRINGE's α, b and τ. */
  readonly cringeWeight: number;
  readonly cringeMargin: number;
  readonly cringeTemperature: number;
}

export const defaultConstants: LossConstants = {
  beta: 1,
  labelSmoothing: 0,
  discopopTau: 0.05,
  desirableWeight: 1,
  undesirableWeight: 1,
  cringeWeight: 1,
  cringeMargin: 0,
  cringeTemperature: 1,
};

/** What the data must be: pairs; single replies, each desirable or not; ranked lists; texts without any preference. */
export type RecordKind = "pairs" | "rows" | "lists" | "texts";

export interface LossFacts {
  readonly name: LossName;
  /** Other systems' names for it. */
  readonly aliases: readonly string[];
  /** Authors, year, where, which equation. */
  readonly paper: string;
  /** Of one example, in words of r, d = r_w - r_l - m, σ, and the constants. */
  readonly formula: string;
  /** Constants that the formula reads. */
  readonly reads: readonly (keyof LossConstants)[];
  /** Smallest ε that the formula is defined for is above 0, and this is its default. Absent: ε may be 0, the default. */
  readonly leastSmoothing?: number;
  /** Whether it sees rewards of one prompt only through their differences. */
  readonly differences: boolean;
}

export interface PairTargets {
  readonly margin: number;
  /** p in [0, 1], the probability that the chosen reply is the better one. */
  readonly label: number;
}

/** A loss and d loss / d rewards of one pair. */
export interface PairPoint {
  readonly loss: number;
  readonly chosen: number;
  readonly rejected: number;
}

export interface PairLoss extends LossFacts {
  readonly kind: "pairs";
  /**
   * Records the loss of n pairs on the device, with its metrics.
   * @param rewards [2 n, 1] f32: all chosen, then all rejected
   * @returns d loss / d rewards, [2 n, 1] f32
   */
  readonly record: (gpu: Gpu, rewards: Tensor, targets: PairLossTargets, constants?: LossConstants) => Tensor;
  /** The same of one pair, in float64 on the host, without centering. */
  readonly at: (
    chosen: number,
    rejected: number,
    targets: PairTargets,
    constants?: LossConstants,
  ) => PairPoint;
}

/** A loss of pairs that sees the difference of their rewards alone, and so can take a margin. */
export interface DifferenceLoss extends PairLoss {
  readonly differences: true;
  /**
   * In float64 on the host.
   * @param difference d = r_w - r_l - margin
   * @param label p
   */
  readonly ofPair: (difference: number, label: number, constants?: LossConstants) => number;
  /** d ofPair / d difference. */
  readonly slope: (difference: number, label: number, constants?: LossConstants) => number;
}

export interface RowLoss extends LossFacts {
  readonly kind: "rows";
  /**
   * Records the loss of n rows on the device, with its metrics.
   * @param rewards [n, 1] f32
   * @returns d loss / d rewards, [n, 1] f32
   */
  readonly record: (gpu: Gpu, rewards: Tensor, targets: RowLossTargets, constants?: LossConstants) => Tensor;
  /**
   * The same of one row, in float64 on the host.
   * @param reference z
   * @param label 1: desirable, 0: not
   */
  readonly at: (
    reward: number,
    reference: number,
    label: number,
    constants?: LossConstants,
  ) => { readonly loss: number; readonly slope: number };
}

export interface ListLoss extends LossFacts {
  readonly kind: "lists";
  /**
   * Records the loss of lists on the device, with its metrics.
   * @param rewards [n, 1] f32, list after list
   * @returns d loss / d rewards, [n, 1] f32
   */
  readonly record: (gpu: Gpu, rewards: Tensor, targets: ListLossTargets) => Tensor;
  /**
   * The same of one list, in float64 on the host.
   * @param gains larger is better, equal is a tie; see gains.ts
   */
  readonly at: (
    rewards: ArrayLike<number>,
    gains: ArrayLike<number>,
  ) => { readonly loss: number; readonly gradient: Float64Array };
}

export interface TextLoss extends LossFacts {
  readonly kind: "texts";
  /**
   * Records the loss of n texts on the device, with its metrics.
   * @param rewards [n, 1] f32: log π(text)
   * @returns d loss / d rewards, [n, 1] f32
   */
  readonly record: (gpu: Gpu, rewards: Tensor, targets: TextLossTargets) => Tensor;
}

export type PreferenceLoss = PairLoss | RowLoss | ListLoss | TextLoss;

export function isDifferenceLoss(loss: PreferenceLoss): loss is DifferenceLoss {
  return loss.kind === "pairs" && loss.differences;
}
