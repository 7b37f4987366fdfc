/** @file What a whole model's steps take of the device's memory: foretold, kept to, and changing no result but by rounding. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openCheckpoint, toFloat32 } from "../../../src/model/safetensors/index.ts";
import { tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { relativeError } from "../../support/numbers.ts";
import { idPairs, jsonl, run } from "../records.ts";

const gpu = useGpu();
const small = useGpu({ memoryBudget: 700_000 });
const tiny = useGpu({ memoryBudget: 250_000 });

const longPair = (tokens: number) => ({
  prompt_ids: Array.from({ length: tokens }, (_, i) => i % 40),
  chosen_ids: [21, 22],
  rejected_ids: [3],
});

async function weightsOf(dir: string): Promise<Float32Array> {
  await using checkpoint = await openCheckpoint(dir);
  const all: number[] = [];
  for (const info of checkpoint.tensors.values())
    all.push(...toFloat32(await checkpoint.read(info), info.dtype));
  return Float32Array.from(all);
}

const base = () => tinyModel({ family: "llama", architecture: "bare", dtype: "F32" });
const options = { trainable: "full", lr: 0.003, maxSteps: 4, evalSplit: 0, batchSize: 12 } as const;

it.each([false, true])(
  "checkpointing %s: the peak is foretold, and told after the first step",
  async (gradientCheckpointing) => {
    const data = jsonl([...idPairs(40), longPair(60)]);
    const {
      peakBytes,
      predictedBytes = 0,
      notes,
    } = await run(gpu(), {
      ...options,
      model: await base(),
      data,
      gradientCheckpointing,
      batchTokens: 128,
    });
    expect(Math.abs(predictedBytes / peakBytes - 1)).toBeLessThan(0.1);
    expect(notes.filter((note) => note.startsWith("Memory: "))).toEqual([
      expect.stringMatching(/ are expected, with at most 128 tokens at once$/),
      expect.stringMatching(/ taken by the first step; .* were expected$/),
    ]);
    const first = notes.flatMap(
      (note) => /^First step: done (.+) s after the start, (.+) s of/.exec(note) ?? [],
    );
    const [, start, kernels] = first.map(Number);
    expect(start).toBeGreaterThan(kernels ?? Number.NaN);
  },
);

it("checkpointing: less memory, the same bytes", async () => {
  const common = { ...options, model: await base(), data: jsonl(idPairs(40)), batchTokens: 256 };
  const kept = await run(gpu(), common);
  const again = await run(gpu(), { ...common, gradientCheckpointing: true });
  const bytes = (out: string) => readFileSync(join(out, "model.safetensors"));
  expect(bytes(again.out).equals(bytes(kept.out))).toBe(true);
  expect(again.peakBytes).toBeLessThan(kept.peakBytes);
});

it("a small budget cuts steps into smaller micro-batches, of which a too long pair is one; the weights differ by rounding", async () => {
  const data = jsonl([...idPairs(40), longPair(60)]);
  const common = { ...options, model: await base(), data, batchTokens: 512, shuffle: false };
  const large = await run(gpu(), common);
  const cut = await run(small(), common);
  expect(cut.peakBytes).toBeLessThan(700_000);
  expect(large.peakBytes).toBeGreaterThan(700_000);
  const limit = /at most (\d+) tokens at once/;
  const tokens = (notes: readonly string[]) => Number(notes.map((n) => limit.exec(n)?.[1]).find(Boolean));
  expect(tokens(cut.notes)).toBeLessThan(tokens(large.notes));
  expect(relativeError(await weightsOf(cut.out), await weightsOf(large.out))).toBeLessThan(1e-4);
});

it("what does not fit by itself is named before the first step", async () => {
  const data = jsonl([...idPairs(5), longPair(60), ...idPairs(3)]);
  await expect(run(tiny(), { ...options, model: await base(), data })).rejects.toThrow(
    /data\.jsonl:6: its 6\d tokens .*--memory-budget allows .*Lower --max-length, use --gradient-checkpointing/,
  );
});
