/**
 * @file A whole model that learns: a step is one or more micro-batches, each packed, run forwards on a tape and backwards,
 * whose gradients add up in the arena; then AdamW. Everything stays on the device until it is asked for.
 */
import { RmtrainError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { addToMean } from "../kernels/row-loss.ts";
import { headGroup } from "../model/model-parameters.ts";
import type { TrainableModel } from "../model/trainable.ts";
import { createTensor, type Tensor } from "../tensor/tensor.ts";
import { readArena, writeState } from "./arena-state.ts";
import type { Example } from "./example-sets.ts";
import type { ExampleForm, LossPlace } from "./forms/form.ts";
import { MetricsTable } from "./metrics-table.ts";
import { type MicroBatch, microBatchesOf, rewardItem } from "./micro-batches.ts";
import { Optimizer } from "./optimizer.ts";
import type { TrainOptions } from "./options.ts";
import { rewardPipelines, rewardsOfItems } from "./rewards/batch-rewards.ts";
import type { ModelReward, RewardItem } from "./rewards/model-reward.ts";
import { pointOfReference } from "./row-metrics.ts";
import type { TokenCounts } from "./run-batches.ts";
import type { Evaluated, StepMetrics, Trainer, TrainerState, Weights } from "./trainer.ts";

const referenceLabel = "point of reference";

export interface ModelExamples<E extends Example> {
  readonly train: readonly E[];
  /** Empty: no evaluation. */
  readonly eval: readonly E[];
}

/** What learns, and how. */
export interface ModelParts<E extends Example> {
  /** Its caller's, as is `reward`. */
  readonly model: TrainableModel;
  readonly reward: ModelReward;
  readonly form: ExampleForm<E>;
  /** Whether inputs of low-rank updates are dropped. */
  readonly dropout: boolean;
}

export class ModelTrainer<E extends Example> implements Trainer {
  /** Of this process's steps. */
  readonly counts: TokenCounts = { computed: 0, padded: 0 };
  readonly #optimizer: Optimizer;
  readonly #metrics: MetricsTable;
  readonly #items: readonly RewardItem[];
  readonly #evalItems: readonly RewardItem[];
  /** Most sequences, and examples, of a step. */
  readonly #room: { readonly sequences: number; readonly examples: number };
  #step = 0;
  /** The step before: at most one waits while the next is recorded. */
  #recorded: Promise<void> = Promise.resolve();
  #failure: unknown;

  /** Called when the first step has been done. */
  onFirstStep: (() => void) | undefined;
  /** Computed at once, at most; see memory-plan.ts. */
  microTokens: number;

  constructor(
    readonly parts: ModelParts<E>,
    readonly examples: ModelExamples<E>,
    readonly options: TrainOptions,
  ) {
    this.microTokens = options.batchTokens;
    const { batchSize, gradientAccumulationSteps, logEvery } = options;
    const { model, reward } = parts;
    const most = batchSize * gradientAccumulationSteps;
    this.#items = examples.train.map(rewardItem);
    this.#evalItems = examples.eval.map(rewardItem);
    const each = this.#items.reduce((least, { sequences }) => Math.max(least, sequences.length), 1);
    this.#room = { sequences: each * most, examples: most };
    this.#optimizer = new Optimizer(model.gpu, model.arena);
    this.#metrics = new MetricsTable(model.gpu, logEvery * most, reward.columns);
  }

  get gpu(): Gpu {
    return this.parts.model.gpu;
  }

  get holdsOut(): boolean {
    return this.examples.eval.length > 0;
  }

  async step(indices: Int32Array, lr: number, headLr: number): Promise<void> {
    this.#record(indices, lr, headLr);
    const { onFirstStep } = this;
    this.onFirstStep = undefined;
    const before = this.#recorded;
    this.#recorded = this.gpu
      .finish()
      .then(onFirstStep)
      .catch((error: unknown) => {
        this.#failure ??= error;
      });
    await before;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Synchronous, so that scopes of concurrent runs on one device cannot interleave. */
  #record(indices: Int32Array, lr: number, headLr: number): void {
    const { parts, examples, options } = this;
    const items = Array.from(indices, (i) => this.#items[i]!);
    const micro = microBatchesOf(items, this.microTokens);
    const own = micro.map((part) => part.examples.map((i) => examples.train[indices[i]!]!));
    const total = parts.form.total(own.flat());
    const { row, tensor } = this.#metrics;
    this.#step++;
    parts.model.arena.clear("gradient");
    using _scope = this.gpu.scope();
    const reference = this.#reference(indices);
    for (const [i, part] of micro.entries()) {
      this.#addGradient(part, own[i]!, { total, row: row + i, reference });
      this.counts.computed += part.batch.rows;
      this.counts.padded += part.batch.paddedTokens;
    }
    const metrics = { metrics: tensor, row, losses: micro.length };
    const groupLr = { [headGroup]: headLr };
    this.#optimizer.step({ ...options, lr, groupLr, step: this.#step, ...metrics });
    this.#metrics.add(own.map((some) => parts.form.counts(some)));
  }

  /**
   * Records a step of one micro-batch of the training examples, for what that takes of the device's memory and which
   * pipelines it uses. Only in a rehearsal: the step isn't counted.
   */
  rehearse(part: MicroBatch, microTokens: number): void {
    using _scope = this.gpu.scope();
    const own = part.examples.map((i) => this.examples.train[i]!);
    const reference = this.parts.form.references && createTensor(this.gpu, 1, 1, referenceLabel);
    this.#addGradient(part, own, { total: this.parts.form.total(own), row: 0, reference }, microTokens);
    this.#optimizer.step({ ...this.options, step: 1, metrics: this.#metrics.tensor, row: 0 });
  }

  /** Records the step's point of reference, where its loss has one: max(0, mean reward) of those items. [1, 1] f32 */
  #reference(indices: Int32Array): Tensor | undefined {
    const { model, reward, form } = this.parts;
    if (form.references === undefined) return undefined;
    const { train } = form.references;
    const items = Array.from(indices, (i) => train[i]!);
    const z = createTensor(this.gpu, 1, 1, referenceLabel);
    let done = 0;
    for (const { batch, sequences } of microBatchesOf(items, this.microTokens)) {
      using _scope = this.gpu.scope();
      const capacity = Math.max(this.microTokens, batch.rows);
      const hidden = model.backbone.forward(batch, capacity);
      const order = Int32Array.from(sequences, (_, n) => n);
      const rewardCapacity = this.#room.sequences;
      const input = { batch, sequences, order, hidden, capacity, rewardCapacity };
      done = addToMean(this.gpu, z, reward.forward(model, undefined, input), { done, total: items.length });
      this.counts.computed += batch.rows;
      this.counts.padded += batch.paddedTokens;
    }
    return z;
  }

  #addGradient(
    part: MicroBatch,
    examples: readonly E[],
    place: Pick<LossPlace, "total" | "row" | "reference">,
    microTokens = this.microTokens,
  ): void {
    const { gpu, options } = this;
    const { model, reward, form, dropout } = this.parts;
    const capacity = Math.max(microTokens, part.batch.rows);
    const { own, tensor: metrics } = this.#metrics;
    using tape = model.tape();
    const hidden = model.backbone.forward(part.batch, capacity, {
      tape,
      checkpointing: options.gradientCheckpointing,
      dropout: dropout ? { seed: options.seed, step: this.#step } : undefined,
    });
    const rewards = reward.forward(model, tape, {
      ...part,
      order: form.order(examples),
      hidden,
      capacity,
      rewardCapacity: this.#room.sequences,
      step: { total: place.total, metrics: own, row: place.row, number: this.#step },
    });
    const where = { ...place, metrics, capacity: this.#room.examples };
    tape.backward([[rewards, form.record(gpu, rewards, examples, where)]]);
  }

  async takeMetrics(): Promise<StepMetrics[]> {
    // What went wrong in the last step was told to whoever waited for it.
    await this.#recorded;
    if (this.#failure !== undefined) throw this.#failure;
    return await this.#metrics.take(this.#optimizer);
  }

  weights(): Promise<Weights> {
    return readArena(this.parts.model.arena, "master");
  }

  async state(): Promise<TrainerState> {
    const { arena } = this.parts.model;
    return {
      weights: await readArena(arena, "master"),
      m: await readArena(arena, "m"),
      v: await readArena(arena, "v"),
    };
  }

  load(state: TrainerState, step: number): void {
    writeState(this.parts.model.arena, state);
    this.#step = step;
  }

  async evaluate(step: number): Promise<Evaluated | undefined> {
    if (!this.holdsOut) return undefined;
    const { form } = this.parts;
    const rewards = await this.#rewards(this.#evalItems);
    const bad = rewards.findIndex((own) => !own.every(Number.isFinite));
    if (bad >= 0) {
      const { where } = this.examples.eval[bad]!.record;
      throw new RmtrainError(
        `${where}: a reward of this held-out record is not finite under the weights of step ${step}; lower --lr`,
      );
    }
    const z = await this.#hostReference(form.references?.eval);
    return { metrics: form.metrics(this.examples.eval, rewards, z), rewards: form.sides(rewards) };
  }

  async losses(indices: Int32Array): Promise<number[]> {
    const { form } = this.parts;
    const rewards = await this.#rewards(Array.from(indices, (i) => this.#items[i]!));
    const { references } = form;
    const z = await this.#hostReference(references && Array.from(indices, (i) => references.train[i]!));
    return rewards.map((own, n) => form.metrics([this.examples.train[indices[n]!]!], [own], z).loss);
  }

  async #hostReference(items: readonly RewardItem[] | undefined): Promise<number | undefined> {
    if (items === undefined) return undefined;
    return pointOfReference((await this.#rewards(items)).map((own) => own[0] ?? Number.NaN));
  }

  /** What evaluations dispatch; nothing where none is held out. */
  evaluationPipelines(): readonly KernelVariant[] {
    const { model, reward } = this.parts;
    return rewardPipelines(model, reward, this.#evalItems, { batchTokens: this.microTokens });
  }

  /** Under the present weights, without a tape. */
  #rewards(items: readonly RewardItem[]): Promise<Float32Array[]> {
    const { model, reward } = this.parts;
    return rewardsOfItems(model, reward, items, { batchTokens: this.microTokens });
  }

  [Symbol.dispose](): void {
    this.#optimizer.destroy();
    this.#metrics.destroy();
  }
}
