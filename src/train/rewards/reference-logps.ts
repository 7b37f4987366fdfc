/**
 * @file The reference's log-probabilities of every reply that a run asks for, computed once before it: by the base with
 * its updates off, or by a folder of its own, which leaves the device again. Kept on disk where there is a cache folder.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import { loadCausalLm } from "../../model/causal-lm.ts";
import type { ModelFolder } from "../../model/model-folder.ts";
import { distinct } from "../distinct.ts";
import { FeatureCache } from "../feature-cache/cache.ts";
import { rowKey, spaceOf } from "../feature-cache/keys.ts";
import { weightsHash } from "../feature-cache/weights-hash.ts";
import type { TrainOptions } from "../options.ts";
import { type PolicyOnDevice, type ReplyItem, replyLogpsOf, replySum } from "../reply-logps.ts";
import type { TrainReporter } from "../reporter.ts";

/** log π_ref(y|x) of a sequence of the items. @throws Error for others */
export type ReferenceLogp = (ids: Int32Array, replyStart: number) => number;

/** Where they come from. */
export interface Reference {
  readonly gpu: Gpu;
  /** What says who the reference is: the base's folder, or its own. */
  readonly folder: ModelFolder;
  /** The base on the device already; undefined: the folder is loaded and released. */
  readonly model: PolicyOnDevice | undefined;
}

type Settings = Pick<TrainOptions, "batchTokens" | "featureCache" | "cacheLimit">;

export async function referenceLogps(
  reference: Reference,
  items: readonly ReplyItem[],
  settings: Settings,
  reporter: TrainReporter,
): Promise<ReferenceLogp> {
  const keyOf = new Map<Int32Array, Map<number, string>>();
  const keys = items.map(({ sequences, replyStarts }) =>
    sequences.map((ids, reply) => {
      const start = replyStarts[reply]!;
      const key = rowKey(ids, start);
      keyOf.set(ids, (keyOf.get(ids) ?? new Map()).set(start, key));
      return key;
    }),
  );
  const values = new Map<string, number>();
  await using cache = await openCache(reference, settings, reporter);
  const wanted = new Set(keys.flat());
  const all = wanted.size;
  await cache?.read(wanted, async (rows) => {
    for (const [i, key] of rows.keys.entries()) values.set(key, rows.values[i]!);
  });
  if (values.size > 0) reporter.note(`reference: ${values.size} of ${all} log-probabilities from the cache`);
  if (wanted.size > 0) await compute(reference, items, keys, { settings, values, cache, reporter });
  return (ids, replyStart) => {
    const value = values.get(keyOf.get(ids)?.get(replyStart) ?? "");
    if (value === undefined) throw new Error("the reference has not seen this sequence");
    return value;
  };
}

interface Work {
  readonly settings: Settings;
  readonly values: Map<string, number>;
  readonly cache: FeatureCache | undefined;
  readonly reporter: TrainReporter;
}

async function compute(
  { gpu, folder, model }: Reference,
  items: readonly ReplyItem[],
  keys: readonly (readonly string[])[],
  { settings, values, cache, reporter }: Work,
): Promise<void> {
  const known = new Map([...values.keys()].map((key) => [key, 0]));
  const startOf = new Map<string, number>();
  for (const [i, { replyStarts }] of items.entries())
    for (const [reply, start] of replyStarts.entries()) startOf.set(keys[i]![reply]!, start);
  const missing = distinct({ items, keys }, known);
  const rest = missing.items.map((item, i) => ({
    ...item,
    replyStarts: missing.keys[i]!.map((key) => startOf.get(key)!),
  }));
  using loaded = model === undefined ? await loadCausalLm(gpu, folder) : undefined;
  reporter.begin?.("features", rest.length);
  const { logps } = await replyLogpsOf((loaded ?? model)!, rest, {
    batchTokens: settings.batchTokens,
    updates: false,
    onProgress: (done, { computed }) => reporter.features?.(done, rest.length, computed),
    onCompiled: (done, total) => reporter.compiled?.(done, total),
  });
  const own = missing.keys.flat();
  const sums = Float32Array.from(logps.flat(), replySum);
  for (const [i, key] of own.entries()) values.set(key, sums[i]!);
  await cache?.add({ keys: own, values: sums });
}

async function openCache(
  { gpu, folder }: Reference,
  { featureCache: dir, cacheLimit: limit }: Settings,
  reporter: TrainReporter,
): Promise<FeatureCache | undefined> {
  if (dir === undefined) return undefined;
  const weights = await weightsHash(folder, dir, "policy");
  const id = spaceOf(folder.config, weights, gpu, "reply log-probabilities");
  return new FeatureCache({ dir, limit }, { id, width: 1 }, (text) => reporter.note(text));
}
