/** @file Features: the bits of each sequence computed alone, whatever part of them was kept and however often it occurs. */
import { readdirSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Item, pack } from "../../src/data/pack.ts";
import type { Backbone } from "../../src/model/backbone.ts";
import { loadBackbone } from "../../src/model/load.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { readTensor } from "../../src/tensor/tensor.ts";
import { FeatureCache } from "../../src/train/feature-cache/cache.ts";
import { computeFeatures, type Features, releaseFeatures } from "../../src/train/features.ts";
import type { TokenCounts } from "../../src/train/run-batches.ts";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";
import { idPairs } from "./records.ts";

const gpu = useGpu();
const last = (ids: Int32Array) => ids.length - 1;
const limit = 2 ** 24;

const items: Item[] = idPairs(24).map((r) => ({
  sequences: [r.chosen_ids, r.rejected_ids].map((reply) => Int32Array.from([...r.prompt_ids, ...reply])),
  group: r.prompt_ids.join(),
}));

/** Each sequence's own row, `[item][reply]`. */
async function values(features: Features, width: number): Promise<Float32Array[][]> {
  const table = await readTensor(gpu(), features.table);
  releaseFeatures(gpu(), features);
  return features.rows.map((rows) => Array.from(rows, (row) => table.slice(row * width, (row + 1) * width)));
}

/** The last token's hidden state [H] of a sequence that is a batch of its own. */
function alone(backbone: Backbone, ids: Int32Array): Promise<Float32Array> {
  using _scope = gpu().scope();
  const hidden = backbone.forward(pack([{ sequences: [ids] }]), ids.length);
  const reading = readTensor(gpu(), hidden);
  return reading.then((rows) => rows.slice(-hidden.cols));
}

type Work = (backbone: Backbone) => Promise<TokenCounts>;

async function onModel(
  dir: string,
  use: (run: {
    width: number;
    plain: (items: readonly Item[]) => Promise<Float32Array[][]>;
    cached: (
      dir: string | undefined,
      items: readonly Item[],
      load?: (items: number, work: Work) => Promise<TokenCounts>,
    ) => Promise<{ rows: Float32Array[][]; cached: number; computed: number }>;
  }) => Promise<void>,
): Promise<void> {
  await using folder = await openModelFolder(dir);
  const { backbone } = await loadBackbone(gpu(), folder);
  const width = folder.config.hiddenSize;
  try {
    await use({
      width,
      plain: (given) =>
        Promise.all(given.map(({ sequences }) => Promise.all(sequences.map((ids) => alone(backbone, ids))))),
      cached: async (cacheDir, given, load = (_, work) => work(backbone)) => {
        const open = (dir: string) => FeatureCache.open(gpu(), folder, { dir, limit }, expect.fail);
        await using store = cacheDir === undefined ? undefined : await open(cacheDir);
        const features = await computeFeatures(gpu(), width, given, last, { batchTokens: 64, store }, load);
        const { cached, counts } = features;
        return { rows: await values(features, width), cached, computed: counts.computed };
      },
    });
  } finally {
    backbone.release();
  }
}

it.each([
  ["llama, H = 24", () => tinyModel({ family: "llama" })],
  [
    "gpt2, H = 10: rows are padded on the device",
    () => tinyModel({ family: "gpt2", config: { n_embd: 10, n_head: 1 } }),
  ],
])("%s: partly cached in any part and order, the bits are those of each sequence alone", async (_, model) => {
  await onModel(await model(), async ({ plain, cached }) => {
    const all = await plain(items);
    const subset = fc.shuffledSubarray([...items.keys()], { minLength: 0 });
    await fc.assert(
      fc.asyncProperty(subset, subset, async (first, second) => {
        const dir = temporaryFolder();
        for (const part of [first, second, [...items.keys()]]) {
          const { rows } = await cached(
            dir,
            part.map((i) => items[i]!),
          );
          expect(rows).toEqual(part.map((i) => all[i]));
        }
      }),
      { numRuns: 5 },
    );
  });
});

it("all there: the backbone is not asked for", async () => {
  await onModel(await tinyModel({ family: "llama" }), async ({ cached }) => {
    const dir = temporaryFolder();
    const first = await cached(dir, items);
    expect(first).toMatchObject({ cached: 0 });
    expect(first.computed).toBeGreaterThan(0);
    const again = await cached(dir, items, () => expect.fail("the backbone was loaded"));
    expect(again).toEqual({ rows: first.rows, cached: 48, computed: 0 });
  });
});

it("a changed side is computed alone", async () => {
  await onModel(await tinyModel({ family: "llama" }), async ({ cached, plain }) => {
    const dir = temporaryFolder();
    await cached(dir, items);
    const changed = items.map((item, i) => {
      const [chosen = expect.fail(), ...rest] = item.sequences;
      return i === 9 ? { ...item, sequences: [Int32Array.from([...chosen, 7]), ...rest] } : item;
    });
    const { rows, cached: kept, computed } = await cached(dir, changed);
    expect(kept).toBe(47);
    expect(computed).toBe(changed[9]?.sequences[0]?.length);
    expect(rows).toEqual(await plain(changed));
  });
});

it("a sequence that occurs several times is computed and kept once", async () => {
  await onModel(await tinyModel({ family: "llama" }), async ({ cached, plain }) => {
    const dir = temporaryFolder();
    const [one = expect.fail()] = items;
    const [chosen = expect.fail()] = one.sequences;
    const twice = [one, { sequences: [chosen, chosen] }, one];
    const { rows, computed } = await cached(dir, twice);
    expect(rows).toEqual(await plain(twice));
    const lengths = one.sequences.map((ids) => ids.length);
    expect(computed).toBeLessThanOrEqual(lengths.reduce((a, b) => a + b));
    expect(await cached(undefined, twice)).toEqual({ rows, cached: 0, computed });
    expect((await cached(dir, twice, () => expect.fail("loaded"))).cached).toBe(6);
    expect(readdirSync(dir).length).toBe(1);
  });
});

it("a failure while computing gives the table back and closes the cache", async () => {
  await onModel(await tinyModel({ family: "llama" }), async ({ cached }) => {
    const dir = temporaryFolder();
    const before = gpu().memory.live;
    const failing = () => Promise.reject(new Error("no backbone"));
    await expect(cached(dir, items, failing)).rejects.toThrow("no backbone");
    expect(gpu().memory.live).toBe(before);
  });
});
