/** @file The base's training stops at the end of its time and goes on from there, to the same bits. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { countWords, trainBpe } from "../../scripts/lib/bpe.ts";
import { readCurve } from "../../scripts/lib/pretrain/curve.ts";
import { writeInitial } from "../../scripts/lib/pretrain/initial.ts";
import type { PretrainSettings } from "../../scripts/lib/pretrain/settings.ts";
import { isTrained, trainSlice } from "../../scripts/lib/pretrain/train-base.ts";
import { SPECIALS } from "../../scripts/lib/tokenizer-files.ts";
import { temporaryFolder } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";

const gpu = useGpu();
const paragraphs = Array.from(
  { length: 400 },
  (_, i) => `The cat saw ${i % 7} birds and ${i % 5} dogs in the yard.`,
);
const text = paragraphs.join("\n\n");
const settings: PretrainSettings = {
  shape: { vocabulary: 300, width: 16, layers: 1, heads: 2, mlpWidth: 24, positions: 64 },
  initialisation: { std: 0.02, scaleResiduals: true, seed: 3 },
  maxLength: 48,
  batchSize: 4,
  steps: 12,
  lr: 1e-2,
  warmupRatio: 0.1,
  weightDecay: 0.1,
  seed: 0,
  watched: 0.1,
};

it("in two slices it ends at the weights of one, with a curve that falls", async () => {
  const [initial, dir] = [temporaryFolder(), temporaryFolder()];
  const file = join(dir, "text.txt");
  writeFileSync(file, text);
  await writeInitial(initial, trainBpe(countWords([text]), 300, SPECIALS), settings);
  const slice = (name: string) => ({ initial, run: join(dir, name), texts: [file], settings });
  const open = async () => gpu();
  expect(await trainSlice(open, slice("whole"), { note() {} })).toBe(true);
  const stop = new AbortController();
  const stopping = {
    note() {},
    evaluated: ({ step }: { readonly step: number }) => step === 5 && stop.abort(),
  };
  expect(await trainSlice(open, { ...slice("parts"), signal: stop.signal }, stopping)).toBe(false);
  expect(existsSync(join(dir, "parts", "checkpoint-5"))).toBe(true);
  expect(isTrained(slice("parts"))).toBe(false);
  expect(await trainSlice(open, slice("parts"), { note() {} })).toBe(true);
  const weights = (name: string) => readFileSync(join(dir, name, "model.safetensors"));
  expect(weights("parts").equals(weights("whole"))).toBe(true);
  expect(existsSync(join(dir, "whole", "tokenizer.json"))).toBe(true);
  const curve = await readCurve(join(dir, "parts"));
  expect(curve).toEqual(await readCurve(join(dir, "whole")));
  const watched = curve.flatMap((point) => point.watched ?? []);
  expect(watched.at(-1)).toBeLessThan(watched[0]! - 0.3);
});
