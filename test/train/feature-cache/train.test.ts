/** @file Whole runs with --feature-cache: the same files as without, and a second run that begins at the head. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { expectRefused, idPairs, jsonl, run } from "../records.ts";

const gpu = useGpu();
/** Weights of some 2 MB, so that their absence shows. */
const model = () =>
  tinyModel({
    family: "llama",
    architecture: "bare",
    config: { vocab_size: 20_000, tie_word_embeddings: false },
  });

/** Every file but run.json and the model cards, which name the cache. */
const filesOf = (out: string) =>
  readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !["run.json", "README.md", "report.html"].includes(entry.name))
    .map((entry) => relative(out, join(entry.parentPath, entry.name)))
    .sort()
    .map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(out, name)))
        .digest("hex"),
    ]);

it("off by default; the second run computes nothing, loads no weights, and writes the same files", async () => {
  const base = await model();
  const options = { model: base, data: jsonl(idPairs(30)), logEvery: 1 };
  const plain = await run(gpu(), options);
  expect(plain.cached).toBe(0);
  expect(plain.notes.join()).not.toMatch(/cache/);

  const cached = { ...options, featureCache: join(temporaryFolder(), "new", "cache") };
  const first = await run(gpu(), cached);
  const second = await run(gpu(), cached);
  expect(first.notes).toContain("features: 0 of 60 from the cache");
  expect(second.notes).toContain("features: 60 of 60 from the cache");
  expect(first.counts.computed).toBeGreaterThan(0);
  expect(second.counts.computed).toBe(0);
  expect(second.cached).toBe(60);
  expect(first.peakBytes).toBeGreaterThan(20_000 * 24 * 4);
  expect(second.peakBytes).toBeLessThan(100_000);
  expect(filesOf(first.out)).toEqual(filesOf(plain.out));
  expect(filesOf(second.out)).toEqual(filesOf(plain.out));
  expect(second.rewards).toEqual(plain.rewards);
  const kept = readdirSync(cached.featureCache).filter((name) => !name.startsWith("weights-"));
  expect(kept).toEqual([expect.stringMatching(/^[0-9a-f]{32}-[0-9a-f]{12}\.rows$/)]);
});

it("other options of the head, a longer file, and the trained model as base: what is known is used", async () => {
  const base = await tinyModel({ family: "llama", config: { pad_token_id: 0 } });
  const featureCache = temporaryFolder();
  const few = await run(gpu(), { model: base, data: jsonl(idPairs(20)), featureCache });
  const more = { data: jsonl(idPairs(21)), featureCache };
  const again = await run(gpu(), { ...more, model: base, seed: 4, epochs: 1, lr: 0.1, batchTokens: 40 });
  expect(few.cached).toBe(0);
  expect(again.cached).toBe(40);
  expect(again.counts.computed).toBeLessThan(20);
  // The first saved model's vocabulary has grown by a pad; from then on it stays, and so do the features.
  const trained = await run(gpu(), { ...more, model: again.out });
  expect(trained.cached).toBe(0);
  expect((await run(gpu(), { ...more, model: trained.out })).cached).toBe(42);
});

it("other weights, or a text one token shorter, are other rows", async () => {
  const featureCache = temporaryFolder();
  const data = jsonl(idPairs(10));
  const config = { pad_token_id: 0 };
  await run(gpu(), { model: await tinyModel({ family: "llama", config }), data, featureCache });
  const other = await run(gpu(), {
    model: await tinyModel({ family: "llama", config, seed: 2 }),
    data,
    featureCache,
  });
  expect(other.cached).toBe(0);
  const plain = await run(gpu(), { model: await tinyModel({ family: "llama", config, seed: 2 }), data });
  expect(other.rewards).toEqual(plain.rewards);
});

it("a folder that can't be used, a limit that is none: refused before the device is opened", async () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  const options = { model: await model(), data: jsonl(idPairs(30)) };
  await expectRefused({ ...options, featureCache: file }, /--feature-cache .* cannot be used/);
  await expectRefused({ ...options, featureCache: temporaryFolder(), cacheLimit: 0 }, /cacheLimit/);
});
