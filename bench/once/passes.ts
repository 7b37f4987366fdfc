/**
 * @file One reward model, and the two things that are timed of it: scoring items, in the batches of `rmtrain score`, and
 * their gradients, by the path of `rmtrain train`, without the optimiser's step, which no token makes longer.
 */
import type { Item } from "../../src/data/pack.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { linear } from "../../src/kernels/linear.ts";
import type { Backbone } from "../../src/model/backbone.ts";
import { loadBackbone } from "../../src/model/load.ts";
import { uploadHead } from "../../src/model/reward-head.ts";
import { type ModelShape, syntheticFolder } from "../../src/model/synthetic.ts";
import { TrainableModel, type TrainableOptions } from "../../src/model/trainable.ts";
import { readTensor, type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { initialHead } from "../../src/train/head-init.ts";
import { type MicroBatch, microBatchesOf } from "../../src/train/micro-batches.ts";
import { rewardsOfItems } from "../../src/train/rewards/batch-rewards.ts";
import type { RewardItem } from "../../src/train/rewards/model-reward.ts";
import { scalarReward } from "../../src/train/rewards/scalar-reward.ts";
import { runBatches } from "../../src/train/run-batches.ts";
import { timed } from "./clock.ts";
import { shape as defaultShape, positions } from "./model.ts";

/** Tokens that are computed at once, at most. */
export const batchTokens = 4096;

/** What `score` and `learn` do. */
export const directions = { score: "forward", learn: "forward and backward" } as const;

const reward = scalarReward({ addEos: false, readPosition: "last" }, undefined);

export class Passes implements Disposable {
  private constructor(
    readonly gpu: Gpu,
    /** Weights as stored, for scoring. */
    readonly backbone: Backbone,
    /** [1, H] */
    readonly head: Tensor,
    /** The same weights again, of which some learn. */
    readonly model: TrainableModel,
    /** Bytes of `backbone`'s weights on the device. */
    readonly weightBytes: number,
  ) {}

  static async open(
    gpu: Gpu,
    shape: ModelShape = defaultShape,
    options: TrainableOptions = { trainable: "full" },
  ): Promise<Passes> {
    await using folder = syntheticFolder(shape, positions);
    const values = initialHead("normal", undefined, shape.hidden, 0);
    const before = gpu.memory.live;
    const { backbone } = await loadBackbone(gpu, folder);
    const weightBytes = gpu.memory.live - before;
    const head = uploadHead(gpu, values, folder.config);
    const model = await TrainableModel.load(gpu, folder, { ...options, head: values });
    return new Passes(gpu, backbone, head, model, weightBytes);
  }

  /** Rewards of all sequences, item by item. */
  async rewards(items: readonly Item[]): Promise<number[]> {
    const rewards = await rewardsOfItems(this, reward, items.map(rewardItem), { batchTokens });
    return rewards.flatMap((own) => [...own]);
  }

  /** The reward of every prefix of a text, from one pass. */
  async trace(ids: Int32Array): Promise<Float32Array> {
    let found: Float32Array = new Float32Array();
    await runBatches(
      this.backbone,
      [{ sequences: [ids] }],
      { batchTokens },
      {
        name: "trace",
        record: (_, hidden) => linear(this.gpu, hidden, this.head),
        take: async (rewards) => {
          found = await readTensor(this.gpu, rewards);
        },
      },
    );
    return found;
  }

  /** Seconds of `rewards`. */
  score(items: readonly Item[]): () => Promise<number> {
    return () => timed(() => this.rewards(items));
  }

  /** Seconds of the gradients of all items. */
  learn(items: readonly Item[], checkpointing = false): () => Promise<number> {
    return () =>
      timed(() => {
        this.model.arena.clear("gradient");
        for (const batch of microBatchesOf(items.map(rewardItem), batchTokens))
          this.record(batch, checkpointing);
        return this.gpu.finish();
      });
  }

  /** Records the gradients of one micro-batch; every other reward is to rise, the rest to fall. */
  record({ batch, sequences }: MicroBatch, checkpointing: boolean): void {
    const { gpu, model } = this;
    using _ = gpu.scope();
    using tape = model.tape();
    const hidden = model.backbone.forward(batch, batchTokens, { tape, checkpointing });
    const order = Int32Array.from(sequences, (_, n) => n);
    const input = { batch, sequences, order, hidden, capacity: batchTokens, rewardCapacity: order.length };
    const signs = Float32Array.from(sequences, (_, n) => (n % 2 === 0 ? -1 : 1) / sequences.length);
    const gradient = uploadTensor(gpu, signs, 1, "d loss / d rewards");
    tape.backward([[reward.forward(model, tape, input), gradient]]);
  }

  [Symbol.dispose](): void {
    this.model.release();
    this.backbone.release();
    this.gpu.release(this.head.buffer);
  }
}

const rewardItem = (item: Item): RewardItem => ({ ...item, replyStarts: item.sequences.map(() => 0) });

/** Each sequence by itself: nothing is shared. */
export const apart = (items: readonly Item[]): Item[] =>
  items.flatMap(({ sequences }) => sequences.map((ids) => ({ sequences: [ids] })));

/** Tokens that are computed. */
export const tokensOf = (items: readonly Item[]): number =>
  microBatchesOf(items.map(rewardItem), Number.POSITIVE_INFINITY).reduce(
    (sum, { batch }) => sum + batch.rows,
    0,
  );

/** @throws Error unless both give the same bits: what is compared would not be the same work */
export async function expectEqual(passes: Passes, off: readonly Item[], on: readonly Item[]): Promise<void> {
  const [a, b] = [await passes.rewards(off), await passes.rewards(on)];
  const differs = a.length !== b.length || a.some((value, n) => !Object.is(value, b[n]));
  if (differs) throw new Error(`the rewards differ: ${a.slice(0, 4)}... and ${b.slice(0, 4)}...`);
}
