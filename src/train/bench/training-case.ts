/** @file One training of a made-up model on made-up pairs, opened as `train` opens it and measured step by step. */
import type { Gpu } from "../../gpu/gpu.ts";
import { hostClock } from "../../gpu/host-clock.ts";
import { type WarmUpProgress, warmUp } from "../../gpu/warm-up.ts";
import { syntheticFolder } from "../../model/synthetic.ts";
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
import type { RepeatedRun, RunShape, RunTimes } from "./end-to-end.ts";
import { syntheticPairs } from "./pairs.ts";
import { trainingWork } from "./work.ts";

/** bt: a reward head learns beside all weights. dpo: rewards are log-probabilities, so the vocabulary's head runs too. */
export const benchObjectives = ["bt", "dpo"] as const;

export interface TrainingCaseOptions extends Pick<TrainOptions, "batchTokens" | "gradientCheckpointing"> {
  readonly objective: (typeof benchObjectives)[number];
  readonly onCompiled?: WarmUpProgress;
}

export class TrainingCase implements RepeatedRun {
  readonly tokens: number;
  readonly work: number;
  readonly predictedBytes: number;
  readonly #indices: Int32Array;

  private constructor(
    readonly gpu: Gpu,
    readonly model: TrainableModel,
    readonly reward: ModelReward,
    readonly trainer: ModelTrainer<Example>,
    plan: MemoryPlan,
  ) {
    const { train } = trainer.examples;
    const batches = microBatchesOf(train.map(rewardItem), plan.microTokens).map(({ batch }) => batch);
    this.tokens = batches.reduce((sum, { rows }) => sum + rows, 0);
    const vocabulary = model.lmHead !== undefined;
    this.work = batches.reduce((sum, batch) => sum + trainingWork(model.config, batch, vocabulary), 0);
    this.predictedBytes = plan.peakBytes;
    this.#indices = Int32Array.from(train, (_, i) => i);
  }

  /** All weights learn. */
  static async open(
    gpu: Gpu,
    shape: RunShape,
    { onCompiled, ...given }: TrainingCaseOptions,
  ): Promise<TrainingCase> {
    const options = withDefaults({
      ...given,
      ...{ model: "", data: "", out: "", trainable: "full" },
      batchSize: shape.batch,
      logEvery: stepsPerReading,
    });
    const kind = modelRewardKind(options);
    const scalar = kind.head === "score";
    const folder = syntheticFolder(shape, shape.length, scalar ? "sequence-classification" : "causal-lm");
    const train = syntheticPairs(shape.batch, shape.length, shape.vocabulary);
    const examples = { train, eval: [] };
    const heads = scalar ? { head: initialHead("normal", undefined, shape.hidden, 0) } : { lmHead: true };
    const model = await TrainableModel.load(gpu, folder, { trainable: "full", ...heads });
    const form = formOf(options, examples, shape.length);
    const { recipe } = folder;
    const reporter = { note() {} };
    const items = train.map(rewardItem);
    const reward = await kind.open({ gpu, folder, model, options, recipe, items, reporter });
    const trainer = new ModelTrainer<Example>({ model, reward, form, dropout: false }, examples, options);
    gpu.trim();
    gpu.resetPeak();
    const plan = planMemory(trainer);
    trainer.microTokens = plan.microTokens;
    await warmUp(gpu, plan.pipelines, onCompiled);
    return new TrainingCase(gpu, model, reward, trainer, plan);
  }

  /** @param count at most `stepsPerReading` */
  async repeat(count: number): Promise<RunTimes> {
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
