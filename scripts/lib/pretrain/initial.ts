/** @file The base before it has read anything: tokenizer, config.json, random weights in bfloat16. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromFloat32, writeSafetensors } from "../../../src/model/safetensors/index.ts";
import type { BpeVocabulary } from "../bpe.ts";
import { llamaConfig, randomLlama } from "../llama.ts";
import { EOS, PAD, SPECIALS, tokenizerConfig, tokenizerJson } from "../tokenizer-files.ts";
import type { PretrainSettings } from "./settings.ts";

/**
 * Writes the folder; the weights last, so that one without them is not complete. The same settings and vocabulary give
 * the same bytes.
 */
export async function writeInitial(
  folder: string,
  vocabulary: BpeVocabulary,
  { shape, initialisation }: Pick<PretrainSettings, "shape" | "initialisation">,
): Promise<number> {
  const tokens = { eos: SPECIALS.indexOf(EOS), pad: SPECIALS.indexOf(PAD) };
  const config = { ...llamaConfig(shape, initialisation.std, tokens), torch_dtype: "bfloat16" };
  const writeJson = (name: string, value: object) =>
    writeFile(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  await mkdir(folder, { recursive: true });
  await writeJson("tokenizer.json", tokenizerJson(vocabulary, { bos: true }));
  await writeJson("tokenizer_config.json", tokenizerConfig(shape.positions));
  await writeJson("config.json", config);
  const tensors = randomLlama(shape, initialisation);
  await writeSafetensors(
    join(folder, "model.safetensors"),
    tensors.map(({ name, shape, values }) => ({
      name,
      shape,
      dtype: "BF16" as const,
      data: () => fromFloat32(values, "BF16"),
    })),
  );
  return tensors.reduce((sum, { values }) => sum + values.length, 0);
}
