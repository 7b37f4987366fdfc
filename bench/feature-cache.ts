/**
 * @file What the feature cache saves: whole runs of `train` on one model and one set of pairs, beside one pass of the
 * backbone alone. E epochs, and every later run, should cost close to that one pass, or to nothing.
 *
 *   npx tsx bench/feature-cache.ts MODEL DATA.jsonl[,EVAL.jsonl] [MAX-LENGTH]
 */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openGpu } from "../src/gpu/gpu.ts";
import { loadBackbone } from "../src/model/load.ts";
import { openModelFolder } from "../src/model/model-folder.ts";
import { readIndex } from "../src/model/recipe.ts";
import { computeFeatures, releaseFeatures } from "../src/train/features.ts";
import { trainDefaults } from "../src/train/options.ts";
import { type TrainResult, train } from "../src/train/train.ts";

const [model, files = "", maxLength = "512"] = process.argv.slice(2);
const [data = "", evalData] = files.split(",");
if (model === undefined || data === "") {
  console.error("usage: npx tsx bench/feature-cache.ts MODEL DATA.jsonl[,EVAL.jsonl] [MAX-LENGTH]");
  process.exit(2);
}

const gpu = await openGpu();
const scratch = await mkdtemp(join(tmpdir(), "rmtrain-bench-"));
let runs = 0;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1e3;
}

async function run(epochs: number, cache?: string): Promise<{ seconds: number; result: TrainResult }> {
  const out = join(scratch, `run-${runs++}`);
  const options = {
    model: model ?? "",
    data,
    evalData,
    out,
    epochs,
    maxLength: Number(maxLength),
    overlong: "left",
  } as const;
  let result: TrainResult | undefined;
  const took = await seconds(async () => {
    result = await train(
      gpu,
      cache === undefined ? options : { ...options, featureCache: join(scratch, cache) },
    );
  });
  if (result === undefined) throw new Error("the run gave nothing");
  return { seconds: took, result };
}

async function bytesIn(dir: string): Promise<number> {
  const sizes = (await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size);
  return (await Promise.all(sizes)).reduce((a, b) => a + b, 0);
}

/** The pass alone: pairs as ids are given, weights are on the device, pipelines are built. */
async function onePass({ dataset }: TrainResult): Promise<number> {
  await using folder = await openModelFolder(model ?? "");
  const { backbone } = await loadBackbone(gpu, folder);
  const items = [...dataset.train.examples, ...(dataset.eval?.examples ?? [])].map((pair) => pair.item);
  const read = (ids: Int32Array) => readIndex(ids, { readPosition: "last" });
  const took = await seconds(async () => {
    releaseFeatures(
      gpu,
      await computeFeatures(
        gpu,
        folder.config.hiddenSize,
        items,
        read,
        { batchTokens: trainDefaults.batchTokens },
        (_, work) => work(backbone),
      ),
    );
  });
  backbone.release();
  return took;
}

const { result } = await run(0.01); // pipelines
const pass = await onePass(result);
const pairs = result.dataset.train.examples.length + (result.dataset.eval?.examples.length ?? 0);
console.log(`${gpu.facts.description}; ${pairs} pairs, ${result.counts.computed} tokens computed`);
console.log("run\tepochs\tfeatures s\thead s\twhole s\twhole / pass\tfrom the cache");
console.log(`one pass of the backbone\t\t${pass.toFixed(2)}\t\t\t1.00`);
for (const [name, epochs, cache] of [
  ["no cache", 1],
  ["no cache", 5],
  ["no cache", 20],
  ["cache, first run", 20, "cache"],
  ["cache, second run", 20, "cache"],
  ["cache, third run", 1, "cache"],
] as const) {
  const { seconds: whole, result } = await run(epochs, cache);
  const { featureSeconds, trainSeconds, cached } = result;
  const times = [featureSeconds, trainSeconds, whole].map((s) => s.toFixed(2));
  console.log([name, epochs, ...times, (whole / pass).toFixed(2), cached].join("\t"));
}
console.log(`the cache holds ${((await bytesIn(join(scratch, "cache"))) / 2 ** 20).toFixed(1)} MiB`);
await rm(scratch, { recursive: true });
gpu.close();
