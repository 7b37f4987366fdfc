/**
 * @file Writes models/base-random: a byte-level BPE tokenizer and an untrained Llama.
 * Run: npx tsx scripts/make-base-random.ts [TEXT...], where each TEXT is a UTF-8 file, plain or .gz, on which the tokenizer
 * is trained. Without any it is trained on the training pairs of the example.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { writeSafetensors } from "../src/model/safetensors/index.ts";
import { BASE_INITIALISATION, BASE_SHAPE, VOCABULARY } from "./lib/base.ts";
import { countWords, trainBpe } from "./lib/bpe.ts";
import { llamaConfig, randomLlama } from "./lib/llama.ts";
import { EXAMPLE_SEED, makePairs } from "./lib/prefs.ts";
import { EOS, PAD, SPECIALS, tokenizerConfig, tokenizerJson } from "./lib/tokenizer-files.ts";

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path);
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

function exampleTexts(): string[] {
  return makePairs(EXAMPLE_SEED)
    .filter(({ split }) => split === "train")
    .flatMap(({ prompt, chosen, rejected }) => [prompt + chosen, prompt + rejected]);
}

const folder = fileURLToPath(new URL("../models/base-random/", import.meta.url));
const paths = process.argv.slice(2);
const texts = paths.length > 0 ? await Promise.all(paths.map(readText)) : exampleTexts();
const vocabulary = trainBpe(countWords(texts), VOCABULARY, SPECIALS);
const tensors = randomLlama(BASE_SHAPE, BASE_INITIALISATION);
const tokens = { eos: SPECIALS.indexOf(EOS), pad: SPECIALS.indexOf(PAD) };

const writeJson = (name: string, value: object): Promise<void> =>
  writeFile(`${folder}${name}`, `${JSON.stringify(value, null, 2)}\n`);
await mkdir(folder, { recursive: true });
await writeJson("tokenizer.json", tokenizerJson(vocabulary));
await writeJson("tokenizer_config.json", tokenizerConfig(BASE_SHAPE.positions));
await writeJson("config.json", llamaConfig(BASE_SHAPE, BASE_INITIALISATION.std, tokens));
await writeSafetensors(
  `${folder}model.safetensors`,
  tensors.map(({ name, shape, values }) => ({
    name,
    shape,
    dtype: "F32" as const,
    data: () => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  })),
);
const parameters = tensors.reduce((sum, { values }) => sum + values.length, 0);
console.log(`${folder}: ${vocabulary.symbols.length} symbols, ${parameters} parameters`);
