/**
 * @file One reward model, and the two things that are timed of it: scoring items, by the path that `rmtrain score` takes,
 * and their gradients, by that of `rmtrain train`, without the optimiser's step, which no token makes longer.
 */
import { RewardModel } from "../../src/audit/reward-model.ts";
import type { Item } from "../../src/data/pack.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { TrainableModel, type TrainableOptions } from "../../src/model/trainable.ts";
import { uploadTensor } from "../../src/tensor/tensor.ts";
import { initialHead } from "../../src/train/head-init.ts";
import { type MicroBatch, microBatchesOf } from "../../src/train/micro-batches.ts";
import { scalarReward } from "../../src/train/rewards/scalar-reward.ts";
import { clocked } from "../lib/interleave.ts";

/** Tokens that are computed at once, at most. */
export const batchTokens = 4096;

/** What `score` and `learn` do. */
export const directions = { score: "forward", learn: "forward and backward" } as const;

export class Passes implements Disposable {
  private constructor(
    readonly gpu: Gpu,
    readonly scorer: RewardModel,
    readonly model: TrainableModel,
    /** Bytes of the scorer's weights on the device. */
    readonly weightBytes: number,
  ) {}

  static async open(gpu: Gpu, dir: string, options?: TrainableOptions): Promise<Passes> {
    await using folder = await openModelFolder(dir);
    const head = initialHead("normal", undefined, folder.config.hiddenSize, 0);
    const before = gpu.memory.live;
    const scorer = await RewardModel.load(gpu, dir, { initHead: "normal" });
    const weightBytes = gpu.memory.live - before;
    const model = await TrainableModel.load(gpu, folder, { ...(options ?? { trainable: "full" }), head });
    return new Passes(gpu, scorer, model, weightBytes);
  }

  /** Rewards of all sequences, item by item. */
  async rewards(items: readonly Item[]): Promise<number[]> {
    const scored = await this.scorer.scoreItems(items, { batchTokens });
    return scored.flat().map(({ reward }) => reward);
  }

  score(items: readonly Item[]): () => Promise<number> {
    return () => clocked(() => this.rewards(items));
  }

  /** Forwards and backwards. */
  learn(items: readonly Item[], checkpointing = false): () => Promise<number> {
    const all = items.map((item) => ({ ...item, replyStarts: item.sequences.map(() => 0) }));
    return () =>
      clocked(() => {
        this.model.arena.clear("gradient");
        for (const batch of microBatchesOf(all, batchTokens)) this.record(batch, checkpointing);
        return this.gpu.finish();
      });
  }

  /** Records the gradients of one micro-batch; half of its rewards are to rise, the others to fall. */
  record({ batch, sequences }: MicroBatch, checkpointing: boolean): void {
    const { gpu, model } = this;
    using _ = gpu.scope();
    using tape = model.tape();
    const reward = scalarReward(this.scorer.recipe, model.config.padTokenId);
    const hidden = model.backbone.forward(batch, batchTokens, { tape, checkpointing });
    const order = Int32Array.from(sequences, (_, n) => n);
    const input = { batch, sequences, order, hidden, capacity: batchTokens, rewardCapacity: order.length };
    const rewards = reward.forward({ gpu, backbone: model.backbone, head: model.head }, tape, input);
    const signs = Float32Array.from(sequences, (_, n) => (n % 2 === 0 ? -1 : 1) / sequences.length);
    tape.backward([[rewards, uploadTensor(gpu, signs, 1, "d loss / d rewards")]]);
  }

  [Symbol.dispose](): void {
    this.model.release();
    this.scorer.release();
  }
}

/** Each sequence by itself: nothing is shared. */
export const apart = (items: readonly Item[]): Item[] =>
  items.flatMap(({ sequences }) => sequences.map((ids) => ({ sequences: [ids] })));

/** Tokens that are computed. */
export function tokensOf(items: readonly Item[]): number {
  const all = items.map((item) => ({ ...item, replyStarts: [] }));
  return microBatchesOf(all, Number.POSITIVE_INFINITY).reduce((sum, { batch }) => sum + batch.rows, 0);
}

/** @throws Error unless both give the same bits: what is compared would not be the same work */
export async function expectEqual(passes: Passes, off: readonly Item[], on: readonly Item[]): Promise<void> {
  const [a, b] = [await passes.rewards(off), await passes.rewards(on)];
  const differs = a.length !== b.length || a.some((reward, n) => !Object.is(reward, b[n]));
  if (differs) throw new Error(`the rewards differ: ${a.slice(0, 4)}... and ${b.slice(0, 4)}...`);
}
