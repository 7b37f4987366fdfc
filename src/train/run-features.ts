/** @file The features of a run's examples: from the cache where there is one, else from one pass of the backbone. */
import type { Item } from "../data/pack.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { loadBackbone } from "../model/load.ts";
import type { ModelFolder } from "../model/model-folder.ts";
import { type InputRecipe, readIndex } from "../model/recipe.ts";
import { FeatureCache } from "./feature-cache/cache.ts";
import { computeFeatures, type Features, type WithBackbone } from "./features.ts";
import { reportUnused } from "./notes.ts";
import type { TrainOptions } from "./options.ts";
import type { TrainReporter } from "./reporter.ts";

/**
 * The features of all items' sequences; the backbone has left the device again when they are there.
 * @param afterBatch called after each batch of the backbone; what it throws ends the pass
 */
export async function itemFeatures(
  gpu: Gpu,
  folder: ModelFolder,
  items: readonly Item[],
  recipe: InputRecipe,
  options: TrainOptions,
  reporter: TrainReporter,
  afterBatch: () => void = () => {},
): Promise<Features> {
  const read = (ids: Int32Array) => readIndex(ids, recipe, folder.config.padTokenId);
  let total = 0;
  const run = {
    batchTokens: options.batchTokens,
    onProgress: (done: number, { computed }: { readonly computed: number }) => {
      reporter.features?.(done, total, computed);
      afterBatch();
    },
    onCompiled: (done: number, total: number) => reporter.compiled?.(done, total),
  };
  const withBackbone: WithBackbone = async (count, work) => {
    const { backbone, unused } = await loadBackbone(gpu, folder);
    reportUnused(unused, reporter);
    total = count;
    reporter.begin?.("features", total);
    try {
      return await work(backbone);
    } finally {
      backbone.release();
    }
  };
  const { featureCache: dir, cacheLimit: limit } = options;
  const width = folder.config.hiddenSize;
  if (dir === undefined) return await computeFeatures(gpu, width, items, read, run, withBackbone);
  await using store = await FeatureCache.open(gpu, folder, { dir, limit }, (text) => reporter.note(text));
  const onCached = (cached: number, of: number) =>
    reporter.note(`features: ${count(cached)} of ${count(of)} from the cache`);
  return await computeFeatures(gpu, width, items, read, { ...run, store, onCached }, withBackbone);
}

const count = (n: number) => n.toLocaleString("en-US");
