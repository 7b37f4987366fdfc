/** @file models/base is what its recipe says, small enough for git, and predicts text better than counting does. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { countWords, trainBpe } from "../../scripts/lib/bpe.ts";
import { bitsPerByte } from "../../scripts/lib/pretrain/bits-per-byte.ts";
import { sizes } from "../../scripts/lib/pretrain/settings.ts";
import { SPECIALS, tokenizerConfig, tokenizerJson } from "../../scripts/lib/tokenizer-files.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { loadTokenizer } from "../../src/model/tokenizer.ts";
import { useGpu } from "../support/gpu.ts";

const gpu = useGpu();
const dir = fileURLToPath(new URL("../../models/base/", import.meta.url));
const readJson = (name: string): unknown => JSON.parse(readFileSync(join(dir, name), "utf8"));
const shared = process.env.RMTRAIN_SHARED;
const textOf = (name: string) =>
  gunzipSync(readFileSync(`${shared}/data/text/${name}.txt.gz`)).toString("utf8");
/** The bits per byte on valid.txt that character 5-grams reach: ../shared/data/text. */
const fiveGrams = 2.1048;
const { shape } = sizes.small;

describe("models/base", () => {
  it("is below 10 MB, with a card that names its works and its bits per byte", () => {
    const bytes = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
    expect(bytes).toBeLessThan(10e6);
    const card = readFileSync(join(dir, "README.md"), "utf8");
    expect(Number(/\*\*([\d.]+) bits per byte\*\*/.exec(card)?.[1])).toBeLessThan(fiveGrams);
    for (const part of ["## Works", "## Baselines", "Lewis Carroll", "| step | training loss"])
      expect(card).toContain(part);
  });

  it("has the recipe's shape, in bfloat16, and reads texts with a BOS before and an EOS after them", async () => {
    await using folder = await openModelFolder(dir);
    const { config, recipe, checkpoint } = folder;
    expect(config).toMatchObject({
      family: "llama",
      architecture: "causal-lm",
      tied: true,
      vocabSize: shape.vocabulary,
      hiddenSize: shape.width,
      layers: shape.layers,
      maxPositions: shape.positions,
    });
    expect([...checkpoint.tensors.values()].every(({ dtype }) => dtype === "BF16")).toBe(true);
    expect(recipe).toMatchObject({ addEos: true, eosTokenId: 0 });
    const tokenizer = await loadTokenizer(dir);
    expect(tokenizer.encode("A cat.", { addSpecialTokens: true })[0]).toBe(tokenizer.bosTokenId);
    expect(readJson("tokenizer_config.json")).toEqual(tokenizerConfig(shape.positions));
  });

  it.skipIf(!shared)("has the tokenizer that its text gives (needs RMTRAIN_SHARED)", () => {
    const vocabulary = trainBpe(countWords([textOf("train")]), shape.vocabulary, SPECIALS);
    expect(readJson("tokenizer.json")).toEqual(tokenizerJson(vocabulary, { bos: true }));
  });

  it.skipIf(!shared)(
    "predicts held-out text better than character 5-grams (needs RMTRAIN_SHARED)",
    async () => {
      const text = textOf("valid").slice(0, 40_000);
      const { bitsPerByte: bits } = await bitsPerByte(gpu(), dir, [text], { length: 512, context: 256 });
      expect(bits).toBeLessThan(fiveGrams);
    },
  );
});
