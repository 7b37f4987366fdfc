/** @file What a report is made of. */
import type { Finding } from "../../data/checks/finding.ts";
import type { InputRecipe } from "../../model/recipe.ts";
import type { PairLossOf, PairRewards } from "../evaluate.ts";
import type { EvalLine, TrainLine } from "../metrics.ts";
import type { TokenCounts } from "../run-batches.ts";
import type { RunFile } from "../run-file.ts";
import type { HeldOut } from "./held-out.ts";

/** Where the run stands. */
export type Status =
  | { readonly state: "running"; readonly step: number; readonly totalSteps: number; readonly at: Date }
  | { readonly state: "finished"; readonly savedStep: number; readonly steps: number }
  | {
      readonly state: "stopped";
      readonly step: number;
      readonly totalSteps: number;
      readonly reason: string;
    };

/** What the run took. */
export interface Cost {
  /** Computed by the backbone: once for features, else in all steps. */
  readonly tokens: TokenCounts;
  /** Of the backbone's pass before training; 0 where more than the head learns. */
  readonly featureSeconds: number;
  readonly trainSeconds: number;
  readonly peakBytes: number;
  /** The same, as foretold before the first step; undefined where nothing was foretold. */
  readonly predictedBytes?: number | undefined;
}

export interface ReportInput {
  /** The run's folder. */
  readonly out: string;
  readonly run: RunFile;
  /** What the reported loss is of; default: Bradley-Terry's. */
  readonly objective?: PairLossOf | undefined;
  readonly recipe: InputRecipe;
  readonly status: Status;
  readonly trainLines: readonly TrainLine[];
  readonly evalLines: readonly EvalLine[];
  /** Undefined: the run holds nothing out. */
  readonly heldOut: HeldOut | undefined;
  /** Rewards of the held-out pairs at one evaluation: the saved weights' when finished, else the latest one's. */
  readonly rewards: { readonly step: number; readonly pairs: PairRewards } | undefined;
  readonly findings: readonly Finding[];
  readonly cost: Cost | undefined;
}
