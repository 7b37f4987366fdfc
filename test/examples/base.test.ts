/** @file models/base-random is what the script writes, and its parts agree with one another. */

import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { Tokenizer } from "@huggingface/tokenizers";
import { describe, expect, it } from "vitest";
import { BASE_INITIALISATION, BASE_SHAPE, VOCABULARY } from "../../scripts/lib/base.ts";
import { countWords, trainBpe } from "../../scripts/lib/bpe.ts";
import { llamaConfig, type NamedTensor, randomLlama } from "../../scripts/lib/llama.ts";
import { EXAMPLE_SEED, makePairs } from "../../scripts/lib/prefs.ts";
import { SPECIALS, tokenizerConfig, tokenizerJson } from "../../scripts/lib/tokenizer-files.ts";
import { openCheckpoint, toFloat32 } from "../../src/model/safetensors/index.ts";

const folder = new URL("../../models/base-random/", import.meta.url);
const readJson = async (name: string): Promise<object> =>
  JSON.parse(await readFile(new URL(name, folder), "utf8")) as object;

describe("models/base-random", () => {
  it("holds the weights that the seed gives, as float32", async () => {
    await using checkpoint = await openCheckpoint(new URL(".", folder).pathname);
    const made = randomLlama(BASE_SHAPE, BASE_INITIALISATION);
    expect([...checkpoint.tensors.keys()].sort()).toEqual(made.map(({ name }) => name).sort());
    for (const { name, shape, values } of made) {
      const info = checkpoint.tensors.get(name);
      if (!info) throw new Error(`${name} is missing`);
      expect(info.dtype).toBe("F32");
      expect(info.shape).toEqual(shape);
      expect(Buffer.from(toFloat32(await checkpoint.read(info), "F32").buffer).equals(bytesOf(values))).toBe(
        true,
      );
    }
  });

  it("has the config and the tokenizer's config of the script", async () => {
    const { std } = BASE_INITIALISATION;
    expect(await readJson("config.json")).toEqual(llamaConfig(BASE_SHAPE, std, { eos: 0, pad: 1 }));
    expect(await readJson("tokenizer_config.json")).toEqual(tokenizerConfig(BASE_SHAPE.positions));
  });

  it("has a tokenizer that the example's text goes through and back", async () => {
    const tokenizer = new Tokenizer(
      await readJson("tokenizer.json"),
      await readJson("tokenizer_config.json"),
    );
    const longest = Math.max(
      ...makePairs(EXAMPLE_SEED).map(({ prompt, chosen }) => {
        const { ids } = tokenizer.encode(prompt + chosen);
        expect(tokenizer.decode(ids)).toBe(prompt + chosen);
        expect(Math.max(...ids)).toBeLessThan(VOCABULARY);
        return ids.length;
      }),
    );
    expect(longest).toBeLessThan(128);
  });

  const shared = process.env.RMTRAIN_SHARED;
  it.skipIf(!shared)("has the tokenizer that its card's text gives (needs RMTRAIN_SHARED)", async () => {
    const text = gunzipSync(await readFile(`${shared}/data/text/train.txt.gz`)).toString("utf8");
    const vocabulary = trainBpe(countWords([text]), VOCABULARY, SPECIALS);
    expect(await readJson("tokenizer.json")).toEqual(tokenizerJson(vocabulary));
  });
});

describe("randomLlama", () => {
  const shape = { vocabulary: 512, width: 32, layers: 2, heads: 4, mlpWidth: 64, positions: 16 };
  const made = randomLlama(shape, { std: 0.02, scaleResiduals: true, seed: 1 });
  const deviation = ({ values }: NamedTensor): number =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

  it("draws with the given deviation, less for what writes into the residual stream; norms are one", () => {
    for (const tensor of made) {
      const matrix = /\.(o|down)_proj/.test(tensor.name) ? 0.01 : 0.02;
      const ratio = deviation(tensor) / (tensor.name.includes("norm") ? 1 : matrix);
      expect(Math.abs(ratio - 1), tensor.name).toBeLessThan(0.1);
    }
  });

  it("depends on the seed", () => {
    const other = randomLlama(shape, { std: 0.02, scaleResiduals: true, seed: 2 });
    expect(other[0]?.values).not.toEqual(made[0]?.values);
  });
});

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
