/** @file One training of a made-up model on made-up pairs, opened as `train` opens it and measured step by step. */
import type { Gpu } from "../../gpu/gpu.ts";
import { hostClock } from "../../gpu/host-clock.ts";
import { type ModelShape, syntheticFolder } from "../../model/synthetic.ts";
import { TrainableModel } from "../../model/trainable.ts";
import type { Example } from "../example-sets.ts";
import { formOf } from "../forms/form-of.ts";
import { initialHead } from "../head-init.ts";
import { type MemoryPlan, planMemory } from "../memory-plan.ts";
import { microBatchesOf, rewardItem } from "../micro-batches.ts";
import { modelRewardKind } from "../model-rewards.ts";
import { ModelTrainer } from "../model-trainer.ts";
import { type TrainOptions, withDefaults } from "../options.ts";
import type { ModelReward } from "../rewards/model-reward.ts";
import { syntheticPairs } from "./pairs.ts";
import { trainingWork } from "./work.ts";

export interface TrainingShape extends ModelShape {
  /** Tokens of a sequence; a pair has two. */
  readonly length: number;
  /** Pairs of a step. */
  readonly batch: number;
}

export interface TrainingCaseOptions extends Pick<TrainOptions, "batchTokens" | "gradientCheckpointing"> {}

/** Of one step in the steady state. */
export interface StepTimes {
  /** From step to step, while the host records the next one as the device computes. */
  readonly seconds: number;
  /** What the host spends on recording it. */
  readonly hostSeconds: number;
  /** Whether that is the thread's own time on a processor, and not the time of day. */
  readonly hostTimeIsOwn: boolean;
}

export class TrainingCase implements Disposable {
  readonly tokens: number;
  /** Floating-point operations of a step. */
  readonly work: number;
  readonly #indices: Int32Array;

  private constructor(
    readonly gpu: Gpu,
    readonly model: TrainableModel,
    readonly reward: ModelReward,
    readonly trainer: ModelTrainer<Example>,
    readonly plan: MemoryPlan,
  ) {
    const { train } = trainer.examples;
    const batches = microBatchesOf(train.map(rewardItem), plan.microTokens).map(({ batch }) => batch);
    this.tokens = batches.reduce((sum, { rows }) => sum + rows, 0);
    this.work = batches.reduce((sum, batch) => sum + trainingWork(model.config, batch), 0);
    this.#indices = Int32Array.from(train, (_, i) => i);
  }

  /** All weights learn a scalar reward by the pairwise logistic loss. */
  static async open(gpu: Gpu, shape: TrainingShape, given: TrainingCaseOptions): Promise<TrainingCase> {
    const options = withDefaults({
      ...given,
      ...{ model: "", data: "", out: "", trainable: "full" },
      batchSize: shape.batch,
      logEvery: stepsPerReading,
    });
    const folder = syntheticFolder(shape, shape.length);
    const train = syntheticPairs(shape.batch, shape.length, shape.vocabulary);
    const examples = { train, eval: [] };
    const head = initialHead("normal", undefined, shape.hidden, options.seed);
    const model = await TrainableModel.load(gpu, folder, { trainable: "full", head });
    const form = formOf(options, examples, shape.length);
    const { recipe } = folder;
    const reporter = { note() {} };
    const items = train.map(rewardItem);
    const reward = await modelRewardKind(options).open({ gpu, folder, model, options, recipe, items, reporter });
    const trainer = new ModelTrainer<Example>({ model, reward, form, dropout: false }, examples, options);
    gpu.trim();
    gpu.resetPeak();
    const plan = planMemory(trainer);
    trainer.microTokens = plan.microTokens;
    return new TrainingCase(gpu, model, reward, trainer, plan);
  }

  /** @param count at most `stepsPerReading` */
  async steps(count: number): Promise<StepTimes> {
    const clock = await hostClock();
    await this.gpu.finish();
    const began = performance.now();
    let hostSeconds = 0;
    for (let i = 0; i < count; i++) {
      const before = clock.seconds();
      // Up to its first wait a step records.
      const step = this.trainer.step(this.#indices, learningRate, learningRate);
      hostSeconds += clock.seconds() - before;
      await step;
    }
    await this.gpu.finish();
    const seconds = (performance.now() - began) / 1e3 / count;
    await this.trainer.takeMetrics();
    return { seconds, hostSeconds: hostSeconds / count, hostTimeIsOwn: clock.ownTime };
  }

  [Symbol.dispose](): void {
    this.trainer[Symbol.dispose]();
    this.reward[Symbol.dispose]();
    this.model.release();
  }
}

export const stepsPerReading = 20;
const learningRate = 1e-5;
