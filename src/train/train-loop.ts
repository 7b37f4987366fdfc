/**
 * @file The training loop: steps, logged metrics, evaluations, saved states; the best weights kept beside the last. It
 * begins at a `Progress` and ends at the same bits wherever it was cut in two. What learns is the trainer's matter.
 */
import { setImmediate as eventLoop } from "node:timers/promises";
import type { Example } from "./example-sets.ts";
import { combine, combineOwn, type TrainLine } from "./metrics.ts";
import type { TrainOptions } from "./options.ts";
import { batches, type Plan, planSteps } from "./plan.ts";
import { learningRate } from "./schedule.ts";
import { TrainingInterrupted } from "./state/interrupted.ts";
import { explainNotFinite, type GoodState, NotFiniteError } from "./state/not-finite.ts";
import { type Best, isBetter, type Progress } from "./state/progress.ts";
import { allFinite, type Evaluated, type Trainer, type TrainerState, type Weights } from "./trainer.ts";

export interface TrainLoop {
  /** What the steps' indices mean. */
  readonly train: readonly Example[];
  readonly options: TrainOptions;
  /** Where the run is; the trainer holds the weights and the moments that belong to it. */
  readonly from: Progress;
  /** The folder that `from` was read from. */
  readonly checkpoint?: string | undefined;
  /** Aborted: the step is finished, its state saved, and TrainingInterrupted thrown. */
  readonly signal?: AbortSignal | undefined;
  readonly onTrain: (line: TrainLine, totalSteps: number) => Promise<void>;
  readonly onEval: (step: number, epoch: number, result: Evaluated) => Promise<void>;
  /** Makes the state durable. @returns its folder */
  readonly onSave: (state: TrainerState, progress: Progress) => Promise<string>;
  /** Reads again what `onSave` wrote to a folder. */
  readonly reload: (folder: string) => Promise<TrainerState>;
}

/** Weights of the run. */
export interface Kept {
  readonly step: number;
  readonly weights: Weights;
}

export interface Trained {
  readonly totalSteps: number;
  /** By evaluation accuracy, then loss, then the earlier; without evaluation the last. */
  readonly best: Kept;
  readonly last: Kept;
}

/**
 * @throws RmtrainError naming the step at which the loss, the gradient or the weights stopped being finite, and its rows
 * @throws TrainingInterrupted when `signal` is aborted
 */
export function trainLoop(trainer: Trainer, loop: TrainLoop): Promise<Trained> {
  return new Run(trainer, loop).run();
}

class Run {
  readonly #plan: Plan;
  #step: number;
  #tokens: number;
  #best: Best | undefined;
  #stale: number;
  readonly #pending: Progress["pending"][number][];
  #checkpoint: string | undefined;
  #good: GoodState;

  constructor(
    readonly trainer: Trainer,
    readonly loop: TrainLoop,
  ) {
    const { from, train, options } = loop;
    this.#plan = planSteps(train.length, options);
    this.#step = from.step;
    this.#tokens = from.tokens;
    this.#best = from.best;
    this.#stale = from.stale;
    this.#pending = [...from.pending];
    this.#checkpoint = loop.checkpoint;
    this.#good = { step: from.step, state: () => trainer.state() };
  }

  async run(): Promise<Trained> {
    await this.#rememberStart();
    try {
      await this.#steps();
      const last = { step: this.#step, weights: await this.#finiteWeights() };
      const { totalSteps } = this.#plan;
      if (this.#best === undefined || this.#best.step === last.step) return { totalSteps, best: last, last };
      const { step, weights } = this.#best;
      return { totalSteps, last, best: { step, weights } };
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      const failed = { ...this.loop, good: this.#good, checkpoint: this.#checkpoint };
      throw await explainNotFinite(error, this.trainer, failed);
    }
  }

  /** Until a state is saved, the first one stays in the host's memory. */
  async #rememberStart(): Promise<void> {
    const { loop } = this;
    const folder = this.#checkpoint;
    const step = this.#step;
    if (folder !== undefined) {
      this.#good = { step, state: () => loop.reload(folder) };
      return;
    }
    const state = await this.trainer.state();
    this.#good = { step, state: async () => state };
  }

  async #steps(): Promise<void> {
    const { loop, trainer } = this;
    const { options, train } = loop;
    const { totalSteps, warmupSteps, evalEvery, saveEvery } = this.#plan;
    if (totalSteps === 0) return await this.#noSteps();
    this.#stopIfAsked();
    for (const indices of batches(train.length, this.#plan, options, this.#step)) {
      if (this.#isStale()) return; // a run that had stopped early is resumed
      const rate = (peak: number) =>
        learningRate(options.schedule, this.#step, totalSteps, warmupSteps, peak);
      const lr = rate(options.lr);
      await trainer.step(indices, lr, rate(options.headLr ?? options.lr));
      for (const i of indices) this.#tokens += tokensOf(train[i]!);
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

  /** The weights that the run was given are evaluated and saved. */
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
    const parts = steps.flatMap((s) => s.batches);
    const line: TrainLine = {
      step: this.#step,
      epoch: this.#step / this.#plan.stepsPerEpoch,
      ...combine(parts),
      ...combineOwn(parts),
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
    if (!this.trainer.holdsOut) return;
    await this.#drain(); // a bad step is found before its weights are evaluated
    const weights = await this.#finiteWeights();
    const step = this.#step;
    const result = await this.trainer.evaluate(step);
    if (result === undefined) return;
    await this.loop.onEval(step, step / this.#plan.stepsPerEpoch, result);
    const { accuracy, loss } = result.metrics;
    const better = isBetter(result.metrics, this.#best);
    this.#stale = better ? 0 : this.#stale + 1;
    if (better) this.#best = { step, accuracy, loss, weights };
  }

  async #save(): Promise<void> {
    await this.#drain();
    const state = await this.trainer.state();
    if (![state.weights, state.m, state.v].every(allFinite)) throw weightsNotFinite(this.#step);
    const folder = await this.loop.onSave(state, {
      step: this.#step,
      tokens: this.#tokens,
      best: this.#best,
      stale: this.#stale,
      pending: this.#pending,
    });
    this.#checkpoint = folder;
    this.#good = { step: this.#step, state: () => this.loop.reload(folder) };
  }

  /** A step whose loss and gradient are finite may still take the weights past the largest f32. */
  async #finiteWeights(): Promise<Weights> {
    const weights = await this.trainer.weights();
    if (!allFinite(weights)) throw weightsNotFinite(this.#step);
    return weights;
  }
}

const weightsNotFinite = (step: number) => new NotFiniteError("The weights were", step);

function tokensOf({ item }: Example): number {
  return item.sequences.reduce((sum, ids) => sum + ids.length, 0);
}
