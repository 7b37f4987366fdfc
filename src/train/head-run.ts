/** @file The head on cached features as the loop trains it: examples become rows of the feature table. */
import { RmtrainError } from "../errors.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import type { HeldOutScores } from "./closing.ts";
import type { PairMetrics } from "./evaluate.ts";
import type { Example } from "./example-sets.ts";
import type { ExampleForm } from "./forms/form.ts";
import type { HeadTrainer, StepExamples } from "./head-trainer.ts";
import type { TrainOptions } from "./options.ts";
import { microBatches } from "./plan.ts";
import { pointOfReference } from "./row-metrics.ts";
import type { Evaluated, StepMetrics, Trainer, TrainerState, Weights } from "./trainer.ts";

export interface HeadExamples<E extends Example> {
  readonly form: ExampleForm<E>;
  readonly train: readonly E[];
  /** Feature rows of each training example's sequences. */
  readonly trainRows: readonly Int32Array[];
  /** Empty: no evaluation. */
  readonly eval: readonly E[];
  readonly evalRows: readonly Int32Array[];
  /** Feature rows of the form's references, one for each example. */
  readonly references?: { readonly train: Int32Array; readonly eval: Int32Array };
}

export class HeadRun<E extends Example> implements Trainer {
  /** Most sequences of a batch. */
  readonly #capacity: number;

  /** @param trainer is disposed with this */
  constructor(
    readonly trainer: HeadTrainer,
    readonly examples: HeadExamples<E>,
    readonly settings: Pick<TrainOptions, "batchSize">,
  ) {
    const each = examples.trainRows.reduce((most, rows) => Math.max(most, rows.length), 1);
    this.#capacity = each * settings.batchSize;
  }

  get holdsOut(): boolean {
    return this.examples.eval.length > 0;
  }

  step(indices: Int32Array, lr: number): void {
    const parts = microBatches(indices, this.settings.batchSize);
    const references = this.examples.references?.train;
    this.trainer.step(
      parts.map((part) => this.#batch(part)),
      lr,
      references && Int32Array.from(indices, (i) => references[i]!),
    );
  }

  /** What steps and evaluations dispatch. */
  pipelines(): readonly KernelVariant[] {
    const { train, evalRows, references } = this.examples;
    const first = Int32Array.from(train.slice(0, this.settings.batchSize), (_, i) => i);
    const held = Int32Array.from(evalRows.flatMap((own) => [...own]));
    return this.trainer.pipelines(this.#batch(first), references?.train.subarray(0, first.length), held);
  }

  #batch(indices: Int32Array): StepExamples {
    const { form, train, trainRows } = this.examples;
    const own = Array.from(indices, (i) => train[i]!);
    const sequences = Array.from(indices, (i) => [...trainRows[i]!]).flat();
    return {
      rows: Int32Array.from(form.order(own), (n) => sequences[n]!),
      capacity: this.#capacity,
      examples: own.length,
      counts: form.counts(own),
      record: (gpu, rewards, place) =>
        form.record(gpu, rewards, own, { ...place, capacity: this.settings.batchSize }),
    };
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
    const scores = await this.scores(step);
    return scores && { ...scores, rewards: this.examples.form.sides(scores.rewards) };
  }

  /**
   * Rewards of the held-out examples' sequences and what they are like; undefined where nothing is held out.
   * @param head [H]; default: the present one
   */
  async scores(step: number, head?: Float32Array): Promise<HeldOutScores | undefined> {
    const rewards = await this.heldOutRewards(step, head);
    if (rewards === undefined) return undefined;
    const { form, eval: held, references } = this.examples;
    const z = await this.#reference(references?.eval, head);
    return { rewards, metrics: form.metrics(held, rewards, z) };
  }

  /**
   * Of the held-out examples' sequences, `[example][sequence]`.
   * @param head [H]; default: the present one
   */
  async heldOutRewards(step: number, head?: Float32Array): Promise<Float32Array[] | undefined> {
    const { eval: held, evalRows } = this.examples;
    if (held.length === 0) return undefined;
    const rewards = await this.#rewards(evalRows, head);
    const bad = rewards.findIndex((own) => !own.every(Number.isFinite));
    if (bad >= 0) {
      const { where } = held[bad]!.record;
      throw new RmtrainError(
        `${where}: the reward of this held-out record is not finite under the head of step ${step}; look at its features, or lower --lr`,
      );
    }
    return rewards;
  }

  async losses(indices: Int32Array): Promise<number[]> {
    const { form, train, trainRows, references } = this.examples;
    const rewards = await this.#rewards(Array.from(indices, (i) => trainRows[i]!));
    const z = await this.#reference(references && Int32Array.from(indices, (i) => references.train[i]!));
    const loss = (i: number, own: Float32Array): PairMetrics => form.metrics([train[i]!], [own], z);
    return rewards.map((own, n) => loss(indices[n]!, own).loss);
  }

  async #reference(rows: Int32Array | undefined, head?: Float32Array): Promise<number | undefined> {
    return rows && pointOfReference(await this.trainer.rewards(rows, head));
  }

  async #rewards(rows: readonly Int32Array[], head?: Float32Array): Promise<Float32Array[]> {
    const all = await this.trainer.rewards(Int32Array.from(rows.flatMap((own) => [...own])), head);
    let end = 0;
    return rows.map(({ length }) => {
      end += length;
      return all.subarray(end - length, end);
    });
  }

  [Symbol.dispose](): void {
    this.trainer[Symbol.dispose]();
  }
}
