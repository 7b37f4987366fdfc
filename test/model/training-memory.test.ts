/** @file What a training step takes on the device: as predicted, less with checkpoints, and nothing new after the first. */
import { describe, expect, it } from "vitest";
import { pack } from "../../src/data/pack.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import { metricColumns } from "../../src/kernels/metric-columns.ts";
import type { PackedBatch } from "../../src/kernels/packed-batch.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { gatherRows, linear } from "../../src/model/operations.ts";
import { TrainableModel, type TrainableOptions } from "../../src/model/trainable.ts";
import { createTensor, type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";
import { type TinyModel, tinyModel } from "./tiny-model.ts";

const device = useGpu();

const full = { trainable: "full" } as const;
const lora = {
  trainable: "lora",
  lora: { r: 3, alpha: 6, dropout: 0.1, targets: "all-linear" },
  seed: 1,
} as const;

async function load(gpu: Gpu, tiny: TinyModel, options: TrainableOptions): Promise<TrainableModel> {
  const dir = await tinyModel(tiny);
  await using folder = await openModelFolder(dir);
  const head = normals(1, folder.config.hiddenSize);
  const model = await TrainableModel.load(gpu, folder, { ...options, head });
  model.backbone.reserve(1);
  return model;
}

/** Texts and pairs that share a prompt, together `rows` tokens to compute. */
function batchOf(rows: number, salt: number): PackedBatch {
  const items = [];
  const text = (length: number, seed: number) => Array.from({ length }, (_, p) => (seed + p) % 19);
  for (let left = rows, i = 0; left > 0; i++) {
    const length = Math.min(left, 3 + ((salt + 5 * left) % 11));
    const prompt = text(length - 3, salt + i);
    const replies = i % 2 === 0 && length > 3 ? [[20], [21, 22]] : [text(3, 20)];
    items.push({
      sequences: replies.map((reply) => Int32Array.from([...prompt, ...reply]).slice(0, length)),
    });
    left -= length;
  }
  const batch = pack(items);
  if (batch.rows > rows) throw new Error(`${batch.rows} rows, not ${rows}`);
  return batch;
}

interface StepOptions {
  readonly capacity: number;
  readonly checkpointing: boolean;
}

/** Forward, a gradient for the reward of each sequence, backward. */
function backward(model: TrainableModel, batch: PackedBatch, options: StepOptions): void {
  const { gpu, head } = model;
  if (head === undefined) throw new Error("The model has no reward head");
  const { capacity, checkpointing } = options;
  using tape = model.tape();
  const on = { gpu, tape };
  const dropout = { seed: 1, step: 1 };
  const hidden = model.backbone.forward(batch, capacity, { tape, checkpointing, dropout });
  const rows = batch.sequenceSegments.map((s) => {
    const [, , start = 0, length = 0] = batch.segments.subarray(4 * s, 4 * s + 4);
    return start + length - 1;
  });
  const features = gatherRows(on, hidden, rows, capacity);
  tape.release(hidden);
  const rewards = linear(on, features, { weight: head, bias: undefined });
  tape.release(features);
  const gradient = uploadTensor(gpu, normals(2, rows.length), 1, "gradient", { capacity });
  tape.backward([[rewards, gradient]]);
}

interface Trainer extends Disposable {
  step(batches: readonly PackedBatch[], options: StepOptions): void;
}

/** The arena's optimiser, and metrics of a good loss. */
function trainer(model: TrainableModel): Trainer {
  const { gpu, arena } = model;
  const optimizer = new Optimizer(gpu, arena);
  const metrics: Tensor = createTensor(gpu, 1, metricColumns.count, "metrics", { persistent: true });
  gpu.recorder.clear(metrics.buffer, 0, metrics.buffer.size);
  let steps = 0;
  return {
    step: (batches, options) => {
      arena.clear("gradient");
      for (const batch of batches) backward(model, batch, options);
      const rates = { lr: 1e-4, maxGradNorm: 1, weightDecay: 0.1 };
      optimizer.step({ ...rates, step: ++steps, metrics, row: 0, losses: 1 });
    },
    [Symbol.dispose]: () => {
      optimizer.destroy();
      gpu.release(metrics.buffer);
    },
  };
}

const models: Record<string, readonly [TinyModel, TrainableOptions]> = {
  "llama, full": [{ family: "llama" }, full],
  "gpt2, full": [{ family: "gpt2" }, full],
  "qwen3, LoRA with dropout": [{ family: "qwen3", dtype: "BF16" }, lora],
};
const modes = [false, true];

describe.each(Object.entries(models))("%s", (_, [tiny, options]) => {
  it("a step takes what its rehearsal says, whatever the batch holds and with or without checkpoints", async () => {
    using model = await load(device(), tiny, options);
    using steps = trainer(model);
    for (const checkpointing of modes) {
      for (const capacity of [40, 96]) {
        const shape = { capacity, checkpointing };
        const expected = device().rehearse(() => backward(model, batchOf(capacity, 0), shape));
        device().trim();
        device().resetPeak();
        steps.step([batchOf(capacity, 3), batchOf(capacity - 7, 4)], shape);
        const { peak, peakHeld } = device().memory;
        expect(expected).toMatchObject({ peak, held: peakHeld });
      }
    }
    await device().finish();
  });

  it("after the first step no buffer and no bind group is created", async () => {
    using model = await load(device(), tiny, options);
    using steps = trainer(model);
    const created = () => ({
      buffers: device().memory.buffersCreated,
      groups: device().recorder.stats.bindGroupsCreated,
    });
    for (const checkpointing of modes) {
      const shape = { capacity: 64, checkpointing };
      steps.step([batchOf(64, 0), batchOf(50, 1)], shape);
      const first = created();
      steps.step([batchOf(20, 2), batchOf(64, 3)], shape);
      steps.step([batchOf(63, 4), batchOf(5, 5)], shape);
      expect(created()).toEqual(first);
    }
    await device().finish();
  });
});

it("with checkpoints each layer adds one activation to the peak, without them all that it saves", async () => {
  using gpu = await openGpu({ backend: "null" });
  const capacity = 4096;
  const peakOf = async (layers: number, checkpointing: boolean) => {
    using model = await load(gpu, { family: "llama", config: { num_hidden_layers: layers } }, lora);
    const resident = gpu.memory.live;
    return (
      gpu.rehearse(() => backward(model, batchOf(capacity, 0), { capacity, checkpointing })).peak - resident
    );
  };
  const growth = async (checkpointing: boolean) =>
    ((await peakOf(6, checkpointing)) - (await peakOf(2, checkpointing))) / 4;
  const activation = capacity * 4 * 24;
  expect(await growth(true)).toBeLessThan(1.2 * activation);
  expect(await growth(false)).toBeGreaterThan(5 * activation);
});
