/**
 * @file The head's training loop on cached features: steps, logged metrics, evaluations, saved states; the best head
 * kept beside the last. It begins at a `Progress` and ends at the same bits wherever it was cut in two.
 */
import { setImmediate as eventLoop } from "node:timers/promises";
import { RmtrainError } from "../errors.ts";
import type { Pair } from "./dataset.ts";
import { type PairMetrics, type PairRewards, pairMetrics } from "./evaluate.ts";
import type { HeadState, HeadTrainer, StepRows } from "./head-trainer.ts";
import { combine, type TrainLine } from "./metrics.ts";
import type { TrainOptions } from "./options.ts";
import { batches, microBatches, type Plan, planSteps } from "./plan.ts";
import { learningRate } from "./schedule.ts";
import { TrainingInterrupted } from "./state/interrupted.ts";
import { explainNotFinite, NotFiniteError } from "./state/not-finite.ts";
import { type Best, isBetter, type Progress } from "./state/progress.ts";

export interface HeadLoop {
  readonly train: readonly Pair[];
  /** Feature rows [chosen, rejected] of each training pair. */
  readonly trainRows: readonly Int32Array[];
  /** Empty: no evaluation, and the last head is kept. */
  readonly eval: readonly Pair[];
  readonly evalRows: readonly Int32Array[];
  readonly options: TrainOptions;
  /** Where the run is; the trainer holds the head and the moments that belong to it. */
  readonly from: Progress;
  /** The folder that `from` was read from. */
  readonly checkpoint?: string | undefined;
  /** Aborted: the step is finished, its state saved, and TrainingInterrupted thrown. */
  readonly signal?: AbortSignal | undefined;
  readonly onTrain: (line: TrainLine, totalSteps: number) => Promise<void>;
  /** `rewards` are those of the held-out pairs, from which the metrics come. */
  readonly onEval: (step: number, epoch: number, metrics: PairMetrics, rewards: PairRewards) => Promise<void>;
  /** Makes the state durable. @returns its folder */
  readonly onSave: (state: HeadState, progress: Progress) => Promise<string>;
}

/** A head of the run and the held-out pairs' rewards under it. */
export interface KeptHead {
  readonly step: number;
  /** [H] */
  readonly head: Float32Array<ArrayBuffer>;
  /** Undefined where there is no evaluation. */
  readonly rewards: PairRewards | undefined;
}

export interface TrainedHead {
  readonly totalSteps: number;
  /** By evaluation accuracy, then loss, then the earlier; without evaluation the last. */
  readonly best: KeptHead;
  readonly last: KeptHead;
}

/**
 * @throws RmtrainError naming the step at which the loss, the gradient or the head stopped being finite, and its rows
 * @throws TrainingInterrupted when `signal` is aborted
 */
export function trainHead(trainer: HeadTrainer, loop: HeadLoop): Promise<TrainedHead> {
  return new Run(trainer, loop).run();
}

class Run {
  readonly #plan: Plan;
  readonly #evalRows: Int32Array;
  #step: number;
  #tokens: number;
  #best: Best | undefined;
  #stale: number;
  readonly #pending: Progress["pending"][number][];
  #checkpoint: string | undefined;
  #good: { readonly state: HeadState; readonly step: number } | undefined;

  constructor(
    readonly trainer: HeadTrainer,
    readonly loop: HeadLoop,
  ) {
    const { from, evalRows, train, options } = loop;
    this.#plan = planSteps(train.length, options);
    this.#evalRows = Int32Array.from([0, 1].flatMap((reply) => evalRows.map((r) => r[reply]!)));
    this.#step = from.step;
    this.#tokens = from.tokens;
    this.#best = from.best;
    this.#stale = from.stale;
    this.#pending = [...from.pending];
    this.#checkpoint = loop.checkpoint;
  }

  async run(): Promise<TrainedHead> {
    const good = { state: await this.trainer.state(), step: this.#step };
    this.#good = good;
    try {
      await this.#steps();
      const head = await this.#finiteHead();
      const last = { step: this.#step, head, rewards: await this.#rewards(head) };
      const { totalSteps } = this.#plan;
      if (this.#best === undefined || this.#best.step === last.step) return { totalSteps, best: last, last };
      const { step, head: bestHead } = this.#best;
      return { totalSteps, last, best: { step, head: bestHead, rewards: await this.#rewards(bestHead) } };
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      const failed = { ...this.loop, good: this.#good ?? good, checkpoint: this.#checkpoint };
      throw await explainNotFinite(error, this.trainer, failed);
    }
  }

  async #steps(): Promise<void> {
    const { loop, trainer } = this;
    const { options, train } = loop;
    const { totalSteps, warmupSteps, evalEvery, saveEvery } = this.#plan;
    if (totalSteps === 0) return await this.#noSteps();
    this.#stopIfAsked();
    for (const indices of batches(train.length, this.#plan, options, this.#step)) {
      if (this.#isStale()) return; // a run that had stopped early is resumed
      const lr = learningRate(options.schedule, this.#step, totalSteps, warmupSteps, options.lr);
      trainer.step(
        microBatches(indices, options.batchSize).map((batch) => batchRows(loop, batch)),
        lr,
      );
      for (const i of indices) this.#tokens += pairTokens(train[i]!);
      const step = ++this.#step;
      await eventLoop(); // signals arrive between steps
      const last = step === totalSteps;
      if (last || step % options.logEvery === 0) await this.#log(lr);
      if (last || step % evalEvery === 0) await this.#evaluate();
      const over = last || this.#isStale();
      if (over) await this.#log(lr);
      if (over || step % saveEvery === 0 || loop.signal?.aborted) await this.#save();
      if (over) return;
      this.#stopIfAsked();
    }
  }

  /** The head that the run was given is evaluated and saved. */
  async #noSteps(): Promise<void> {
    if (this.#checkpoint !== undefined) return;
    await this.#evaluate();
    await this.#save();
  }

  #stopIfAsked(): void {
    const { signal } = this.loop;
    if (!signal?.aborted) return;
    throw new TrainingInterrupted(this.#step, this.#plan.totalSteps, this.#checkpoint, {
      cause: signal.reason,
    });
  }

  #isStale(): boolean {
    const { earlyStoppingPatience } = this.loop.options;
    return earlyStoppingPatience !== undefined && this.#stale >= earlyStoppingPatience;
  }

  /** A line of metrics for the steps since the last one, where there are any. */
  async #log(lr: number): Promise<void> {
    await this.#drain();
    const steps = this.#pending.splice(0);
    if (steps.length === 0) return;
    const line = {
      step: this.#step,
      epoch: this.#step / this.#plan.stepsPerEpoch,
      ...combine(steps.flatMap((s) => s.batches)),
      grad_norm: steps.reduce((sum, s) => sum + s.gradNorm, 0) / steps.length,
      learning_rate: lr,
      num_tokens: this.#tokens,
    };
    await this.loop.onTrain(line, this.#plan.totalSteps);
  }

  async #drain(): Promise<void> {
    this.#pending.push(...(await this.trainer.takeMetrics()));
  }

  async #evaluate(): Promise<void> {
    const { eval: pairs, options, onEval } = this.loop;
    if (pairs.length === 0) return;
    await this.#drain(); // a bad step is found before its head is evaluated
    const head = await this.#finiteHead();
    const rewards = await this.#rewards(head);
    if (rewards === undefined) return;
    const metrics = pairMetrics(rewards, pairs, options.centerRewardsCoefficient);
    const step = this.#step;
    await onEval(step, step / this.#plan.stepsPerEpoch, metrics, rewards);
    const better = isBetter(metrics, this.#best);
    this.#stale = better ? 0 : this.#stale + 1;
    if (better) this.#best = { step, accuracy: metrics.accuracy, loss: metrics.loss, head };
  }

  async #save(): Promise<void> {
    await this.#drain();
    const state = await this.trainer.state();
    const values = [state.head, state.m, state.v];
    if (!values.every((v) => v.every(Number.isFinite)))
      throw new NotFiniteError("The head's weights were", this.#step);
    this.#checkpoint = await this.loop.onSave(state, {
      step: this.#step,
      tokens: this.#tokens,
      best: this.#best,
      stale: this.#stale,
      pending: this.#pending,
    });
    this.#good = { state, step: this.#step };
  }

  /** A step whose loss and gradient are finite may still take the weights past the largest f32. */
  async #finiteHead(): Promise<Float32Array<ArrayBuffer>> {
    const head = await this.trainer.head();
    if (!head.every(Number.isFinite)) throw new NotFiniteError("The head's weights were", this.#step);
    return head;
  }

  /** Of the held-out pairs. */
  async #rewards(head: Float32Array): Promise<PairRewards | undefined> {
    const { eval: pairs } = this.loop;
    if (pairs.length === 0) return undefined;
    const rewards = await this.trainer.rewards(this.#evalRows, head);
    const bad = rewards.findIndex((r) => !Number.isFinite(r));
    if (bad >= 0) {
      const where = pairs[bad % pairs.length]!.record.where;
      throw new RmtrainError(
        `${where}: the reward of this held-out pair is not finite under the head of step ${this.#step}; look at its features, or lower --lr`,
      );
    }
    return { chosen: rewards.subarray(0, pairs.length), rejected: rewards.subarray(pairs.length) };
  }
}

function batchRows({ train, trainRows }: HeadLoop, indices: Int32Array): StepRows {
  const side = (reply: number) => Array.from(indices, (i) => trainRows[i]![reply]!);
  return {
    rows: Int32Array.from([...side(0), ...side(1)]),
    margins: Float32Array.from(indices, (i) => train[i]!.margin),
    labels: Float32Array.from(indices, (i) => train[i]!.label),
  };
}

function pairTokens({ item }: Pair): number {
  return item.sequences.reduce((sum, ids) => sum + ids.length, 0);
}
