/** @file Activation checkpointing: the memory that it saves, and the time that it takes. */
import { loraDefaults } from "../../src/model/adapter/settings.ts";
import { type MicroBatch, microBatchesOf } from "../../src/train/micro-batches.ts";
import { shape as defaultShape, someIds } from "./model.ts";
import { batchTokens, Passes } from "./passes.ts";
import { compare, MiB, spread, type Table } from "./table.ts";

const shape = { ...defaultShape, layers: 6 };
const items = Array.from({ length: 4 }, (_, n) => ({ sequences: [someIds(256, n)], replyStarts: [0] }));

export const checkpointing: Table = {
  name: "checkpointing",
  title: "Activation checkpointing",
  how: "Six layers, 1,024 tokens, forwards and backwards. Memory: what the pass adds to weights, gradients and optimiser, as counted; in parentheses, as foretold before. Time predicted: 4 passes in place of 3 where all weights learn, 3 in place of 2 where low-rank updates do.",
  columns: [
    "learning",
    "kept, MiB",
    "checkpoints, MiB",
    "memory saved",
    "kept, ms",
    "checkpoints, ms",
    "time taken (predicted)",
  ],
  async *rows({ gpu }) {
    for (const trainable of ["full", "lora"] as const) {
      const options = trainable === "full" ? { trainable } : { trainable, lora: loraDefaults, seed: 0 };
      using passes = await Passes.open(gpu, shape, options);
      const cost = trainable === "full" ? { kept: 3, again: 4 } : { kept: 2, again: 3 };
      const [found] = await compare({ cost: cost.again, run: passes.learn(items, true) }, [
        { cost: cost.kept, run: passes.learn(items, false) },
      ]);
      const [kept, again] = [await memoryOf(passes, false), await memoryOf(passes, true)];
      const saved = kept.counted / again.counted;
      const times = `${found!.measured.toFixed(2)}× (${found!.predicted.toFixed(2)}×)`;
      const bytes = [kept, again].map(({ counted, foretold }) => `${MiB(counted)} (${MiB(foretold)})`);
      yield [trainable, ...bytes, `${saved.toFixed(2)}×`, spread(found!.on), spread(found!.off), times];
    }
  },
};

/** Bytes beside what is on the device already. */
async function memoryOf(passes: Passes, again: boolean): Promise<{ counted: number; foretold: number }> {
  const { gpu } = passes;
  const before = gpu.memory.live;
  const record = (batch: MicroBatch) => passes.record(batch, again);
  const { peak } = gpu.rehearse(() => microBatchesOf(items, batchTokens).forEach(record));
  gpu.resetPeak();
  await passes.learn(items, again)();
  return { counted: gpu.memory.peak - before, foretold: peak - before };
}
