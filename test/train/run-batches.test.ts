/** @file Packed batches through the backbone: what they create on the device, and in which order items are seen. */
import { expect, it } from "vitest";
import type { Item } from "../../src/data/pack.ts";
import { loadBackbone } from "../../src/model/load.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { readTensor } from "../../src/tensor/tensor.ts";
import { computeFeatures, releaseFeatures } from "../../src/train/features.ts";
import { fittingBatchTokens, runBatches } from "../../src/train/run-batches.ts";
import { tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";

const gpu = useGpu();
const small = useGpu({ limits: { maxBinding: 32_768 } });

/** Items of one or two sequences of 1 to 30 tokens, many with a prompt in common. */
const items = Array.from({ length: 60 }, (_, i) => {
  const prompt = Array.from({ length: (i % 4) * 3 }, (_, j) => (i % 4) + j);
  const reply = (salt: number) =>
    Array.from({ length: 1 + ((salt * i) % 18) }, (_, j) => (salt + i + j) % 40);
  const sequences = [
    [...prompt, ...reply(5)],
    [...prompt, ...reply(7)],
  ].slice(0, 1 + (i % 2));
  return { sequences: sequences.map((ids) => Int32Array.from(ids)), group: `prompt ${i % 4}` };
});

it.each(["llama", "qwen3", "gpt2"] as const)(
  "%s: after the first batch no buffer and no bind group is created",
  async (family) => {
    await using folder = await openModelFolder(await tinyModel({ family }));
    const { backbone } = await loadBackbone(gpu(), folder);
    try {
      const counts: number[][] = [];
      const tokens = new Set<number>();
      await runBatches(
        backbone,
        items,
        { batchTokens: 64 },
        {
          name: "hidden states",
          record: (_, hidden) => hidden,
          take: async (hidden) => {
            tokens.add(hidden.rows);
            await readTensor(gpu(), hidden);
            counts.push([gpu().memory.buffersCreated, gpu().recorder.stats.bindGroupsCreated]);
          },
        },
      );
      expect(tokens.size).toBeGreaterThan(3);
      expect(counts).toEqual(counts.map(() => counts[0]));
    } finally {
      backbone.release();
    }
  },
);

it("each item is seen once, whatever fits a binding, and its row is where it says", async () => {
  await using folder = await openModelFolder(await tinyModel({ family: "llama" }));
  const { backbone } = await loadBackbone(small(), folder);
  try {
    const fitting = fittingBatchTokens(backbone, 4096);
    expect(fitting).toBe(Math.floor(32_768 / (4 * 72)));
    const seen: number[] = [];
    const progress: number[] = [];
    const run = { batchTokens: 4096, onProgress: (done: number) => progress.push(done) };
    const counts = await runBatches(backbone, items, run, {
      name: "nothing",
      record() {},
      take(_, { batch, items: indices }) {
        expect(batch.rows).toBeLessThanOrEqual(fitting);
        seen.push(...indices);
      },
    });
    expect([...seen].sort((a, b) => a - b)).toEqual([...items.keys()]);
    expect(progress.at(-1)).toBe(items.length);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(counts.padded).toBeGreaterThan(counts.computed);

    const options = { batchTokens: 4096 };
    const last = (ids: Int32Array) => ids.length - 1;
    const compute = (given: readonly Item[]) =>
      computeFeatures(small(), 24, given, last, options, (_, work) => work(backbone));
    const together = await compute(items);
    const values = await readTensor(small(), together.table);
    releaseFeatures(small(), together);
    for (const i of [0, 7, 31, 59]) {
      const alone = await compute(items.slice(i, i + 1));
      const own = await readTensor(small(), alone.table);
      releaseFeatures(small(), alone);
      alone.rows[0]?.forEach((row, reply) => {
        const at = (together.rows[i]?.[reply] ?? Number.NaN) * 24;
        expect(own.subarray(24 * row, 24 * row + 24)).toEqual(values.subarray(at, at + 24));
      });
    }
  } finally {
    backbone.release();
  }
});
