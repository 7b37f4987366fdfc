/** @file The head on cached features as the loop trains it: pairs become rows of the feature table. */
import { RmtrainError } from "../errors.ts";
import type { Pair } from "./dataset.ts";
import { type PairMetrics, type PairRewards, pairMetrics } from "./evaluate.ts";
import type { HeadTrainer, StepRows } from "./head-trainer.ts";
import { type ObjectiveOptions, type PairObjective, pairObjective } from "./objectives.ts";
import type { TrainOptions } from "./options.ts";
import { microBatches } from "./plan.ts";
import type { Evaluated, StepMetrics, Trainer, TrainerState, Weights } from "./trainer.ts";

export interface HeadPairs {
  readonly train: readonly Pair[];
  /** Feature rows [chosen, rejected] of each training pair. */
  readonly trainRows: readonly Int32Array[];
  /** Empty: no evaluation. */
  readonly eval: readonly Pair[];
  readonly evalRows: readonly Int32Array[];
}

type Settings = ObjectiveOptions & Pick<TrainOptions, "batchSize">;

export class HeadRun implements Trainer {
  /** All chosen, then all rejected. */
  readonly #evalRows: Int32Array;
  readonly #objective: PairObjective;

  /** @param trainer is disposed with this */
  constructor(
    readonly trainer: HeadTrainer,
    readonly pairs: HeadPairs,
    readonly settings: Settings,
  ) {
    this.#objective = pairObjective(settings);
    this.#evalRows = Int32Array.from([0, 1].flatMap((reply) => pairs.evalRows.map((r) => r[reply]!)));
  }

  get holdsOut(): boolean {
    return this.pairs.eval.length > 0;
  }

  step(indices: Int32Array, lr: number): void {
    const parts = microBatches(indices, this.settings.batchSize);
    this.trainer.step(
      parts.map((part) => batchRows(this.pairs, part)),
      lr,
    );
  }

  takeMetrics(): Promise<StepMetrics[]> {
    return this.trainer.takeMetrics();
  }

  weights(): Promise<Weights> {
    return this.trainer.weights();
  }

  state(): Promise<TrainerState> {
    return this.trainer.state();
  }

  load(state: TrainerState, step: number): void {
    this.trainer.load(state, step);
  }

  async evaluate(step: number): Promise<Evaluated | undefined> {
    const rewards = await this.heldOutRewards(step);
    if (rewards === undefined) return undefined;
    return {
      rewards,
      metrics: this.#metrics(rewards, this.pairs.eval),
    };
  }

  /**
   * Of the held-out pairs.
   * @param head [H]; default: the present one
   */
  async heldOutRewards(step: number, head?: Float32Array): Promise<PairRewards | undefined> {
    const { eval: pairs } = this.pairs;
    if (pairs.length === 0) return undefined;
    const rewards = await this.trainer.rewards(this.#evalRows, head);
    const bad = rewards.findIndex((r) => !Number.isFinite(r));
    if (bad >= 0) {
      const where = pairs[bad % pairs.length]!.record.where;
      throw new RmtrainError(
        `${where}: the reward of this held-out pair is not finite under the head of step ${step}; look at its features, or lower --lr`,
      );
    }
    return { chosen: rewards.subarray(0, pairs.length), rejected: rewards.subarray(pairs.length) };
  }

  async losses(indices: Int32Array): Promise<number[]> {
    const { train, trainRows } = this.pairs;
    const rows = Int32Array.from([...indices].flatMap((i) => [...trainRows[i]!]));
    const rewards = await this.trainer.rewards(rows);
    return [...indices].map((i, n) => {
      const sides = {
        chosen: rewards.subarray(2 * n, 2 * n + 1),
        rejected: rewards.subarray(2 * n + 1, 2 * n + 2),
      };
      return this.#metrics(sides, [train[i]!]).loss;
    });
  }

  #metrics(rewards: PairRewards, pairs: readonly Pair[]): PairMetrics {
    return pairMetrics(rewards, pairs, this.settings.centerRewardsCoefficient, this.#objective);
  }

  [Symbol.dispose](): void {
    this.trainer[Symbol.dispose]();
  }
}

function batchRows({ train, trainRows }: HeadPairs, indices: Int32Array): StepRows {
  const side = (reply: number) => Array.from(indices, (i) => trainRows[i]![reply]!);
  return {
    rows: Int32Array.from([...side(0), ...side(1)]),
    margins: Float32Array.from(indices, (i) => train[i]!.margin),
    labels: Float32Array.from(indices, (i) => train[i]!.label),
  };
}
