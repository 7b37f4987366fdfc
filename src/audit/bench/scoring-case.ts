/** @file Scoring with a made-up model, batch after batch as `score` and evaluations compute them. */
import { pack, planBatches } from "../../data/pack.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { hostClock } from "../../gpu/host-clock.ts";
import { warmUp } from "../../gpu/warm-up.ts";
import type { Backbone } from "../../model/backbone.ts";
import { loadBackbone } from "../../model/load.ts";
import { uploadHead } from "../../model/reward-head.ts";
import { syntheticFolder } from "../../model/synthetic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { RepeatedRun, RunShape, RunTimes } from "../../train/bench/end-to-end.ts";
import { syntheticPairs } from "../../train/bench/pairs.ts";
import type { TrainingCaseOptions } from "../../train/bench/training-case.ts";
import { forwardWork } from "../../train/bench/work.ts";
import { initialHead } from "../../train/head-init.ts";
import { rewardItem } from "../../train/micro-batches.ts";
import { rewardPipelines, rewardsOfItems } from "../../train/rewards/batch-rewards.ts";
import type { ModelReward, RewardItem } from "../../train/rewards/model-reward.ts";
import { scalarReward } from "../../train/rewards/scalar-reward.ts";
import { fittingBatchTokens } from "../../train/run-batches.ts";

export class ScoringCase implements RepeatedRun {
  readonly tokens: number;
  readonly work: number;
  readonly predictedBytes: number;
  readonly #batches: readonly (readonly RewardItem[])[];

  private constructor(
    readonly gpu: Gpu,
    readonly backbone: Backbone,
    readonly head: Tensor,
    readonly reward: ModelReward,
    items: readonly RewardItem[],
    readonly batchTokens: number,
  ) {
    this.#batches = planBatches(items, batchTokens).map((indices) => indices.map((i) => items[i]!));
    const batches = this.#batches.map(pack);
    this.tokens = batches.reduce((sum, { rows }) => sum + rows, 0);
    this.work = batches.reduce((sum, batch) => sum + forwardWork(backbone.config, batch), 0);
    const [largest] = batches.sort((a, b) => b.rows - a.rows);
    const { held } = gpu.rehearse(() => {
      if (largest !== undefined) backbone.forward(largest, batchTokens);
    });
    this.predictedBytes = held;
  }

  static async open(
    gpu: Gpu,
    shape: RunShape,
    { batchTokens, onCompiled }: Pick<TrainingCaseOptions, "batchTokens" | "onCompiled">,
  ): Promise<ScoringCase> {
    const folder = syntheticFolder(shape, shape.length);
    const items = syntheticPairs(shape.batch, shape.length, shape.vocabulary).map(rewardItem);
    const { backbone } = await loadBackbone(gpu, folder);
    backbone.reserve(shape.length);
    const head = uploadHead(gpu, initialHead("normal", undefined, shape.hidden, 0), folder.config);
    const reward = scalarReward(folder.recipe, folder.config.padTokenId);
    gpu.trim();
    gpu.resetPeak();
    const tokens = fittingBatchTokens(backbone, batchTokens);
    const scoring = new ScoringCase(gpu, backbone, head, reward, items, tokens);
    await warmUp(gpu, rewardPipelines(scoring, reward, items, { batchTokens: tokens }), onCompiled);
    return scoring;
  }

  async repeat(count: number): Promise<RunTimes> {
    const { gpu, reward } = this;
    const clock = await hostClock();
    await gpu.finish();
    const began = performance.now();
    let hostSeconds = 0;
    for (let i = 0; i < count; i++) {
      for (const items of this.#batches) {
        const before = clock.seconds();
        // Up to its first wait a batch is recorded.
        const rewards = rewardsOfItems(this, reward, items, { batchTokens: this.batchTokens });
        hostSeconds += clock.seconds() - before;
        await rewards;
      }
    }
    const seconds = (performance.now() - began) / 1e3 / count;
    return { seconds, hostSeconds: hostSeconds / count, hostTimeIsOwn: clock.ownTime };
  }

  [Symbol.dispose](): void {
    this.reward[Symbol.dispose]();
    this.backbone.release();
    this.gpu.release(this.head.buffer);
  }
}
