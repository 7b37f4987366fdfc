/** @file Which rows predict the tokens of replies, over random packed batches; the model's log-probabilities against Hugging Face's. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { pack } from "../../src/data/pack.ts";
import { gatherRows } from "../../src/kernels/embedding.ts";
import { tokenLogps } from "../../src/kernels/token-logps.ts";
import { loadLmHead } from "../../src/model/lm-head.ts";
import { loadBackbone } from "../../src/model/load.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { replyEntries } from "../../src/model/reply-entries.ts";
import { WeightLoader } from "../../src/model/weight-loader.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { relativeError } from "../reference/error.ts";
import { goldenModel, goldenTensors } from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";

const gpu = useGpu();

const item = fc.record({
  prompt: fc.array(fc.nat(3), { minLength: 0, maxLength: 5 }),
  replies: fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
});

it("each reply token comes once, with the row of the token before it on its path", () => {
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 6 }), fc.nat(), (items, seed) => {
      const sequences = items.flatMap(({ prompt, replies }) =>
        replies.map((reply) => ({ ids: Int32Array.from([...prompt, ...reply]), start: prompt.length })),
      );
      const batch = pack(
        items.map(({ prompt, replies }) => ({
          sequences: replies.map((reply) => Int32Array.from([...prompt, ...reply])),
        })),
      );
      const order = Int32Array.from(sequences.map((_, n) => (n + seed) % sequences.length));
      const starts = sequences.map(({ start }) => start);
      const { rows, targets, offsets } = replyEntries(batch, starts, order);
      expect([offsets[0], offsets.length]).toEqual([0, sequences.length + 1]);
      for (const [i, n] of order.entries()) {
        const { ids, start } = sequences[n]!;
        const first = Math.max(1, start);
        expect(targets.slice(offsets[i], offsets[i + 1])).toEqual(ids.slice(first));
        const before = rows.slice(offsets[i], offsets[i + 1]);
        expect(before.map((row) => batch.ids[row]!)).toEqual(ids.slice(first - 1, -1));
        expect(before.map((row) => batch.positions[row]!)).toEqual(before.map((_, k) => first - 1 + k));
      }
      if (seed === 0) expect(replyEntries(batch, starts)).toEqual({ rows, targets, offsets });
    }),
  );
});

it("a reply that begins past its sequence's end is refused", () => {
  const batch = pack([{ sequences: [Int32Array.of(1, 2)] }]);
  expect([...replyEntries(batch, [2]).offsets]).toEqual([0, 0]);
  expect(() => replyEntries(batch, [3])).toThrow(/sequence 0 of 2 tokens/);
});

it.each(["gpt2-lm", "llama-lm-tied", "qwen2-lm"] as const)("%s: token_logps of the goldens", async (name) => {
  const golden = goldenTensors(name);
  const ids = golden.get("batch/input_ids");
  const mask = golden.get("batch/attention_mask").data;
  const truth = golden.get("batch/token_logps.f64").data;
  const [count = 0, width = 0] = ids.shape;
  const lengths = Array.from({ length: count }, (_, r) =>
    mask.subarray(r * width, (r + 1) * width).reduce((sum, m) => sum + m, 0),
  );
  const items = lengths.map((length, r) => ({
    sequences: [Int32Array.from(ids.data.subarray(r * width, r * width + length))],
  }));
  await using folder = await openModelFolder(goldenModel(name));
  const { backbone } = await loadBackbone(gpu(), folder);
  const head = await loadLmHead(new WeightLoader(gpu(), folder.checkpoint, folder.config), backbone);
  try {
    using _ = gpu().scope();
    const run = async (given: typeof items) => {
      const batch = pack(given);
      const entries = replyEntries(batch, new Int32Array(given.length));
      const hidden = gatherRows(
        gpu(),
        backbone.forward(batch, batch.rows),
        uploadTensor(gpu(), entries.rows, 1, "rows"),
      );
      const { logps } = tokenLogps(
        gpu(),
        hidden,
        head.weight,
        uploadTensor(gpu(), entries.targets, 1, "targets"),
      );
      return { values: await readTensor(gpu(), logps), offsets: entries.offsets };
    };
    const { values, offsets } = await run(items);
    const expected = lengths.flatMap((length, r) => [
      ...truth.subarray(r * (width - 1), r * (width - 1) + length - 1),
    ]);
    expect(relativeError(values, expected)).toBeLessThan(1e-5);
    const longest = lengths.indexOf(Math.max(...lengths));
    const alone = await run([items[longest]!]);
    expect(alone.values).toEqual(values.slice(offsets[longest], offsets[longest + 1]));
  } finally {
    if (head.owned) gpu().release(head.weight.buffer);
    backbone.release();
  }
});
