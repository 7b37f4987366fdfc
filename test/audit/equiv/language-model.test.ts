/** @file Log-probabilities of replies and features, against Hugging Face's; the candidates that they are computed for. */
import { expect, it } from "vitest";
import { readCandidates } from "../../../src/audit/equiv/candidates.ts";
import { scoreReplies } from "../../../src/audit/equiv/language-model.ts";
import { Random } from "../../../src/data/random.ts";
import { RmtrainError } from "../../../src/errors.ts";
import type { Tokenizer } from "../../../src/model/tokenizer.ts";
import { goldenModel, goldenTensors } from "../../reference/goldens.ts";
import { useGpu } from "../../support/gpu.ts";
import { jsonl } from "../../train/records.ts";

const gpu = useGpu();

it.each(["llama-lm-tied", "gpt2-lm"] as const)("%s: log π(y|x) is the sum of its tokens'", async (name) => {
  const golden = goldenTensors(name);
  const ids = golden.get("batch/input_ids");
  const mask = golden.get("batch/attention_mask").data;
  const logps = golden.get("batch/token_logps.f64").data;
  const [rows = 0, width = 0] = ids.shape;
  const sequences = Array.from({ length: rows }, (_, r) =>
    Int32Array.from(
      [...ids.data.subarray(r * width, (r + 1) * width)].filter((_, p) => mask[r * width + p] === 1),
    ),
  ).filter((sequence) => sequence.length > 3);
  const prompts = sequences.map((sequence) => [1, 3].map((replyStart) => ({ ids: sequence, replyStart })));
  const scored = await scoreReplies(gpu(), goldenModel(name), prompts, new Random(0, 9));
  for (const [x, replies] of prompts.entries()) {
    for (const [k, { ids: sequence, replyStart }] of replies.entries()) {
      const row = Array.from({ length: rows }, (_, r) => r).find((r) =>
        sequence.every((id, p) => ids.data[r * width + p] === id && mask[r * width + p] === 1),
      )!;
      let expected = 0;
      for (let p = replyStart; p < sequence.length; p++) expected += logps[row * (width - 1) + p - 1]!;
      const found = scored[x]![k]!;
      expect(Math.abs(found.logProb / expected - 1)).toBeLessThan(1e-5);
      expect(found.tokens).toBe(sequence.length - replyStart);
      expect(Math.abs(found.otherLogProb - found.logProb)).toBeGreaterThan(1e-3);
      expect(found.features).toEqual(scored[x]![0]!.features);
    }
  }
  expect(gpu().memory.live).toBe(0);
});

const tokenizer = {
  eosTokenId: 0,
  encode: (text: string) => Int32Array.from(text, (c) => c.charCodeAt(0)),
} as unknown as Tokenizer;

it("each prompt's candidates are its own replies and the next prompt's, ended by EOS", async () => {
  const file = jsonl([
    { prompt: "p", chosen: "a", rejected: "b" },
    { chosen: "no", rejected: "prompt" },
    { prompt: "p", chosen: "again", rejected: "not" },
    { prompt: "qq", chosen: "c", rejected: "d" },
    { prompt: "r", chosen: "e", rejected: "f" },
  ]);
  const found = await readCandidates(file, tokenizer, 2);
  const text = (ids: Int32Array) => String.fromCharCode(...ids);
  expect(found.map((replies) => replies.map(({ ids }) => text(ids)))).toEqual([
    ["pa\0", "pb\0", "pc\0", "pd\0"],
    ["qqc\0", "qqd\0", "qqa\0", "qqb\0"],
  ]);
  expect(found.map((replies) => replies[0]!.replyStart)).toEqual([1, 2]);
  await expect(readCandidates(file, tokenizer, 4)).rejects.toThrow(RmtrainError);
  const twins = jsonl([
    { prompt: "p", chosen: "a", rejected: "b" },
    { prompt: "q", chosen: "b", rejected: "c" },
  ]);
  await expect(readCandidates(twins, tokenizer, 2)).rejects.toThrow(/candidates of one prompt must differ/);
});
