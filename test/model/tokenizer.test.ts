/** @file Tokenizers: special ids and refusals on a small one, real ones against independent algorithms and goldens. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { InputError } from "../../src/errors.ts";
import { listTokenizerFiles, loadTokenizer } from "../../src/model/tokenizer.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "rmtrain-tokenizer-"));
});
afterEach(() => rm(dir, { recursive: true }));

const write = (name: string, value: unknown) => writeFile(join(dir, name), JSON.stringify(value));

const added = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** A byte-level BPE without an unknown token: `vocab`, merges, no post-processor unless given. */
const byteLevel = (
  vocab: Record<string, number>,
  merges: string[],
  special: ReturnType<typeof added>[] = [],
) => ({
  version: "1.0",
  added_tokens: special,
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: { type: "BPE", vocab, merges },
});
const small = byteLevel(
  { a: 0, b: 1, ab: 2 },
  ["a b"],
  [added(3, "<s>"), added(4, "</s>"), added(5, "<pad>")],
);

test("ids, text, and special ids by the names in tokenizer_config.json", async () => {
  await write("tokenizer.json", small);
  await write("tokenizer_config.json", { bos_token: { content: "<s>" }, eos_token: "</s>", pad_token: null });
  await write("config.json", { eos_token_id: 1, bos_token_id: 1, pad_token_id: 5 });
  const tokenizer = await loadTokenizer(dir);
  expect(tokenizer).toMatchObject({
    vocabSize: 6,
    bosTokenId: 3,
    eosTokenId: 4,
    padTokenId: 5,
    specialIds: [3, 4, 5],
  });
  expect(tokenizer.encode("abb</s>", { addSpecialTokens: true })).toEqual(Int32Array.of(2, 1, 4));
  expect(tokenizer.decode([3, 2, 1])).toBe("<s>abb");
  expect(tokenizer.decode([])).toBe("");
  // A byte that the vocabulary lacks leaves no token where there is no unknown token, as in Hugging Face's.
  expect(tokenizer.encode("abc", { addSpecialTokens: true })).toEqual(Int32Array.of(2));
  expect(await listTokenizerFiles(dir)).toEqual(["tokenizer.json", "tokenizer_config.json"]);
});

test("an unknown token without an id is refused when a text needs it", async () => {
  await write("tokenizer.json", { ...small, model: { ...small.model, unk_token: "<unk>" } });
  const tokenizer = await loadTokenizer(dir);
  expect(tokenizer.encode("ab", { addSpecialTokens: true })).toEqual(Int32Array.of(2));
  expect(() => tokenizer.encode("abc", { addSpecialTokens: true })).toThrow(InputError);
});

test("special_tokens_map.json comes second, config.json last, and of its list the first id", async () => {
  await write("tokenizer.json", small);
  await write("special_tokens_map.json", { bos_token: "<s>", pad_token: "<not in the vocabulary>" });
  await write("config.json", { eos_token_id: [4, 1] });
  const tokenizer = await loadTokenizer(dir);
  expect([tokenizer.bosTokenId, tokenizer.eosTokenId]).toEqual([3, 4]);
  expect(tokenizer).not.toHaveProperty("padTokenId");
});

test("a folder without tokenizer.json, or with a damaged one, is refused with what to do", async () => {
  await expect(loadTokenizer(dir)).rejects.toThrow(/no tokenizer\.json.*Records with ids .* need none/);
  await write("vocab.json", {});
  await writeFile(join(dir, "merges.txt"), "");
  await expect(loadTokenizer(dir)).rejects.toThrow(
    /vocab\.json and merges\.txt.*from_pretrained\(.*\.save_pretrained\(/,
  );
  await writeFile(join(dir, "tokenizer.json"), "{");
  await expect(loadTokenizer(dir)).rejects.toThrow(/tokenizer\.json: not a JSON object/);
  await write("tokenizer.json", { ...small, model: { type: "Unheard" } });
  await expect(loadTokenizer(dir)).rejects.toThrow(/tokenizer\.json: not a tokenizer that can be used here/);
  await expect(loadTokenizer(dir)).rejects.toBeInstanceOf(InputError);
});

const shared = process.env.RMTRAIN_SHARED;
const models = join(shared ?? "", "models");

/** The encoder of llama2.c's tokenizer files: merge the neighbours whose join scores highest, leftmost on ties. */
function llama2cEncoder(file: Buffer): (text: string) => number[] {
  const ids = new Map<string, number>();
  const scores: number[] = [];
  for (let at = 4; at < file.length; ) {
    const length = file.readInt32LE(at + 4);
    ids.set(file.subarray(at + 8, at + 8 + length).toString("latin1"), scores.length);
    scores.push(file.readFloatLE(at));
    at += 8 + length;
  }
  const bytesOf = (text: string) => Buffer.from(text).toString("latin1");
  return (text) => {
    const tokens: { id: number; piece: string }[] = [];
    for (const character of text && ` ${text}`) {
      const piece = bytesOf(character);
      const id = ids.get(piece);
      if (id !== undefined) tokens.push({ id, piece });
      // A byte's token takes part in no merge: its piece is no text.
      else for (const byte of Buffer.from(character)) tokens.push({ id: byte + 3, piece: `<0x${byte}>` });
    }
    for (;;) {
      let best = -1;
      let bestId = -1;
      for (let i = 0; i + 1 < tokens.length; i++) {
        const id = ids.get(tokens[i]!.piece + tokens[i + 1]!.piece);
        if (id !== undefined && (best < 0 || scores[id]! > scores[bestId]!)) [best, bestId] = [i, id];
      }
      if (best < 0) return [1, ...tokens.map(({ id }) => id)];
      tokens.splice(best, 2, { id: bestId, piece: tokens[best]!.piece + tokens[best + 1]!.piece });
    }
  };
}

test.skipIf(shared === undefined)(
  "stories260k: the tokens of llama2.c's algorithm, and the prompts' ids (needs RMTRAIN_SHARED)",
  async () => {
    const folder = join(models, "stories260k");
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer).toMatchObject({ vocabSize: 512, bosTokenId: 1, eosTokenId: 2, specialIds: [0, 1, 2] });
    const encode = (text: string) => [...tokenizer.encode(text, { addSpecialTokens: true })];
    const reference = llama2cEncoder(await readFile(join(folder, "tok512.bin")));
    const words = fc.constantFrom(
      "Once",
      " upon",
      "a",
      " time",
      ", ",
      "\n\n",
      "Tom",
      "ing",
      "é",
      "😀",
      "  ",
      "\t",
      "3",
    );
    const text = fc.oneof(
      fc.array(words).map((list) => list.join("")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(text, (each) => {
        expect(encode(each)).toEqual(reference(each));
      }),
    );
    const goldens = z
      .object({ greedy: z.array(z.object({ prompt: z.string(), prompt_ids: z.array(z.int()) })) })
      .parse(JSON.parse(await readFile(join(folder, "goldens.json"), "utf8")));
    expect(goldens.greedy.length).toBeGreaterThan(0);
    for (const { prompt, prompt_ids } of goldens.greedy) expect(encode(prompt)).toEqual(prompt_ids);
  },
);

test.skipIf(shared === undefined)(
  "GPT-2's byte-level BPE: the goldens' ids, and the text back (needs RMTRAIN_SHARED)",
  async () => {
    const folder = join(models, "tokenizer-gpt2");
    const vocab = z
      .record(z.string(), z.int())
      .parse(JSON.parse(await readFile(join(folder, "vocab.json"), "utf8")));
    const merges = (await readFile(join(folder, "merges.txt"), "utf8")).trim().split("\n").slice(1);
    await write("tokenizer.json", byteLevel(vocab, merges));
    const tokenizer = await loadTokenizer(dir);
    const goldens = z
      .array(z.object({ text: z.string(), ids: z.array(z.int()) }))
      .parse(JSON.parse(await readFile(join(folder, "goldens.json"), "utf8")));
    expect(goldens.length).toBeGreaterThan(0);
    for (const { text, ids } of goldens) {
      expect([...tokenizer.encode(text, { addSpecialTokens: true })]).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
  },
);
