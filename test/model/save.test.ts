/** @file What a saved reward model holds: Hugging Face's names, shapes and keys, and a pad id that finds our last token. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import safetensors from "safetensors";
import { describe, expect, it } from "vitest";
import { expectedTensors, hfName } from "../../src/model/families/tensors.ts";
import { type ModelFolder, openModelFolder } from "../../src/model/model-folder.ts";
import type { InputRecipe } from "../../src/model/recipe.ts";
import { readHead } from "../../src/model/reward-head.ts";
import { saveRewardModel } from "../../src/model/save.ts";
import { parseRecipe } from "../../src/model/stored-recipe.ts";
import { loadTokenizer, type Tokenizer } from "../../src/model/tokenizer.ts";
import { pooledIndex } from "../reference/forward.ts";
import { goldenModel, realModel } from "../reference/goldens.ts";
import { normals } from "../support/numbers.ts";
import { type TinyModel, temporaryFolder, tinyModel } from "./tiny-model.ts";

const LAST: InputRecipe = { addEos: false, readPosition: "last" };
const baseRandom = fileURLToPath(new URL("../../models/base-random", import.meta.url));

async function save(base: ModelFolder, recipe: InputRecipe, tokenizer?: Tokenizer) {
  const out = join(temporaryFolder(), "out");
  const weight = Float32Array.from(normals(7, base.config.hiddenSize));
  await saveRewardModel(out, base, { weight, recipe, tokenizer });
  const config: Record<string, unknown> = JSON.parse(readFileSync(join(out, "config.json"), "utf8"));
  return { out, weight, config };
}

/** npm's reader takes no `__metadata__`: it is blanked out, which moves nothing. */
function independentReader(file: string) {
  const bytes = new Uint8Array(readFileSync(file));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  expect(header).toContain('"__metadata__":{"format":"pt"},');
  const plain = header.replace('"__metadata__":{"format":"pt"},', "").padEnd(length);
  bytes.set(new TextEncoder().encode(plain), 8);
  return new safetensors.SafeTensor(bytes);
}

const bases: readonly (readonly [string, () => Promise<string> | string])[] = [
  ...(
    [
      ["a causal LM, untied", { family: "llama", architecture: "causal-lm" }],
      [
        "a tied causal LM",
        { family: "qwen3", architecture: "causal-lm", config: { tie_word_embeddings: true } },
      ],
      [
        "a bare GPT-2 without prefix",
        { family: "gpt2", architecture: "bare", unprefixed: true, dtype: "F16" },
      ],
      ["a classifier with a head", { family: "qwen2", dtype: "BF16" }],
    ] satisfies [string, TinyModel][]
  ).map(([name, model]) => [name, () => tinyModel(model)] as const),
  ["a checkpoint in two shards", () => goldenModel("qwen2")],
];

describe.each(bases)("from %s", (_, make) => {
  it("tensors by Hugging Face's names with the stored bytes, a head, no vocabulary head", async () => {
    await using base = await openModelFolder(await make());
    const { out, weight, config } = await save(base, LAST);
    await using saved = await openModelFolder(out);
    expect(saved.config.architecture).toBe("sequence-classification");
    expect(readdirSync(out).filter((name) => name.startsWith("."))).toEqual([]);

    const other = independentReader(join(out, "model.safetensors"));
    const specs = expectedTensors(saved.config);
    expect([...saved.checkpoint.tensors.keys()].sort()).toEqual(
      specs.map((s) => hfName(saved.config, s.role, s.layer)).sort(),
    );
    for (const [name, info] of saved.checkpoint.tensors) {
      expect(other.metadata.get(name)).toMatchObject({ dtype: info.dtype, shape: info.shape });
      const bytes = await saved.checkpoint.read(info);
      expect(other.getTensor(name)).toEqual(bytes);
      if (name === "score.weight") continue;
      const source =
        base.checkpoint.tensors.get(name) ?? base.checkpoint.tensors.get(name.replace(/^[a-z]+\./, ""));
      if (source === undefined) expect.fail(`${name} comes from nowhere`);
      expect(info.dtype).toBe(source.dtype);
      const original = await base.checkpoint.read(source);
      expect(bytes.subarray(0, original.length)).toEqual(original);
      // Only the embedding may have grown, by a row of zeros.
      expect(bytes.subarray(original.length).some((b) => b !== 0)).toBe(false);
      if (!/(embed_tokens|wte)\.weight$/.test(name)) expect(bytes.length).toBe(original.length);
    }
    expect(saved.checkpoint.tensors.get("score.weight")).toMatchObject({
      dtype: "F32",
      shape: [1, base.config.hiddenSize],
    });
    expect(await readHead(saved)).toEqual(weight);
    expect(config).toMatchObject({
      model_type: base.config.family,
      architectures: [expect.stringMatching(/ForSequenceClassification$/)],
      num_labels: 1,
      id2label: { "0": "LABEL_0" },
      label2id: { LABEL_0: 0 },
    });
    for (const [key, value] of Object.entries(base.config.raw))
      if (
        !(
          key in { architectures: 0, num_labels: 0, id2label: 0, label2id: 0, vocab_size: 0, pad_token_id: 0 }
        )
      )
        expect(config[key]).toEqual(value);
  });

  it("without a tokenizer, any id may come last: the vocabulary grows by a pad of its own", async () => {
    await using base = await openModelFolder(await make());
    const { config } = await save(base, LAST);
    expect(config.pad_token_id).toBe(base.config.vocabSize);
    expect(config.vocab_size).toBe(base.config.vocabSize + 1);
  });
});

it("the recipe comes back as it was, and a tokenizer with a good pad is copied byte for byte", async () => {
  await using base = await openModelFolder(baseRandom);
  const tokenizer = await loadTokenizer(base.dir);
  const recipe: InputRecipe = { addEos: true, eosTokenId: 0, readPosition: "last", bos: "auto" };
  const { out, config } = await save(base, recipe, tokenizer);
  expect(parseRecipe(config)).toEqual(recipe);
  for (const file of ["tokenizer.json", "tokenizer_config.json"])
    expect(readFileSync(join(out, file))).toEqual(readFileSync(join(base.dir, file)));
});

it("a tokenizer without a pad gets the saved one, and encodes as before", async () => {
  await using base = await openModelFolder(realModel("stories260k"));
  const tokenizer = await loadTokenizer(base.dir);
  const { out, config } = await save(base, { addEos: true, eosTokenId: 2, readPosition: "last" }, tokenizer);
  // Hugging Face pads a batch with this token; with another, its rule would read the padding.
  expect(JSON.parse(readFileSync(join(out, "tokenizer_config.json"), "utf8"))).toMatchObject({
    pad_token: "<s>",
  });
  const saved = await loadTokenizer(out);
  expect([saved.padTokenId, saved.bosTokenId, saved.eosTokenId]).toEqual([config.pad_token_id, 1, 2]);
  const options = { addSpecialTokens: true };
  expect(saved.encode("A naïve cat", options)).toEqual(tokenizer.encode("A naïve cat", options));
});

it("where pad, BOS and EOS are one (GPT-2), the grown row has a token of its own", async () => {
  const dir = await tinyModel({ family: "gpt2", architecture: "causal-lm", config: { vocab_size: 2048 } });
  const source = JSON.parse(readFileSync(join(baseRandom, "tokenizer.json"), "utf8"));
  source.added_tokens = source.added_tokens.filter((token: { id: number }) => token.id === 0);
  writeFileSync(join(dir, "tokenizer.json"), JSON.stringify(source));
  const end = "<|endoftext|>";
  writeFileSync(
    join(dir, "tokenizer_config.json"),
    JSON.stringify({
      bos_token: end,
      eos_token: end,
      pad_token: end,
      tokenizer_class: "PreTrainedTokenizerFast",
    }),
  );
  await using base = await openModelFolder(dir);
  const tokenizer = await loadTokenizer(dir);
  const { out, config } = await save(base, { addEos: true, eosTokenId: 0, readPosition: "last" }, tokenizer);
  expect([config.pad_token_id, config.vocab_size]).toEqual([2048, 2049]);
  const saved = await loadTokenizer(out);
  expect(saved.padTokenId).toBe(2048);
  expect(saved.eosTokenId).toBe(0);
  expect(saved.vocabSize).toBe(2049);
  const options = { addSpecialTokens: true };
  expect(saved.encode("What should I do?", options)).toEqual(tokenizer.encode("What should I do?", options));
});

describe.each([
  ["stories260k", realModel("stories260k")],
  ["base-random", baseRandom],
])("%s", (_, dir) => {
  it.each([true, false])(
    "Hugging Face's rule finds our last token (EOS added: %s), also in a padded batch",
    async (addEos) => {
      await using base = await openModelFolder(dir);
      const tokenizer = await loadTokenizer(dir);
      const { eosTokenId } = tokenizer;
      const recipe: InputRecipe = {
        addEos,
        ...(eosTokenId === undefined ? {} : { eosTokenId }),
        readPosition: "last",
      };
      const { config } = await save(base, recipe, tokenizer);
      const pad = Number(config.pad_token_id);
      expect(pad).toBeLessThan(Number(config.vocab_size));
      fc.assert(
        fc.property(fc.string({ unit: "binary" }), fc.nat(3), (text, padding) => {
          const ids = [...tokenizer.encode(text, { addSpecialTokens: true })];
          if (addEos && eosTokenId !== undefined && ids.at(-1) !== eosTokenId) ids.push(eosTokenId);
          if (ids.length === 0) return;
          const padded = [...ids, ...new Array<number>(padding).fill(pad)];
          expect(pooledIndex(padded, pad)).toBe(ids.length - 1);
        }),
      );
    },
  );
});

it("in several files where they would be larger than --max-shard-size: the same tensors", async () => {
  await using base = await openModelFolder(await tinyModel({ family: "llama" }));
  const weight = Float32Array.from(normals(7, base.config.hiddenSize));
  const [whole, parts] = [join(temporaryFolder(), "whole"), join(temporaryFolder(), "parts")];
  await saveRewardModel(whole, base, { weight, recipe: LAST });
  await saveRewardModel(parts, base, { weight, recipe: LAST, maxShardSize: 8000 });
  await using one = await openModelFolder(whole);
  await using several = await openModelFolder(parts);
  expect(several.checkpoint.files.length).toBeGreaterThan(2);
  expect([...several.checkpoint.tensors.keys()].sort()).toEqual([...one.checkpoint.tensors.keys()].sort());
  for (const [name, info] of several.checkpoint.tensors) {
    const other = one.checkpoint.tensors.get(name) ?? expect.fail(name);
    expect(await several.checkpoint.read(info)).toEqual(await one.checkpoint.read(other));
  }
  expect(await readHead(several)).toEqual(weight);
});
