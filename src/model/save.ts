/**
 * @file Writes a reward model as Hugging Face's *ForSequenceClassification reads it: same names, shapes and keys, the
 * backbone's bytes copied as they were stored, the head as f32 `score.weight`, no vocabulary head.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "./atomic-file.ts";
import {
  type ChatTemplate,
  findChatTemplate,
  NAMED_TEMPLATES,
  namedTemplateFiles,
  TEMPLATE_FILE,
} from "./chat/template.ts";
import type { ModelConfig } from "./config.ts";
import { architectureName, expectedTensors, hfName, resolveTensors, tensorKey } from "./families/tensors.ts";
import type { ModelFolder } from "./model-folder.ts";
import { type SavedPadding, savedPadding } from "./padding.ts";
import type { InputRecipe } from "./recipe.ts";
import { headName } from "./reward-head.ts";
import { type Checkpoint, type TensorInfo, type TensorSource, writeCheckpoint } from "./safetensors/index.ts";
import { RECIPE_KEY, serialiseRecipe } from "./stored-recipe.ts";
import { listTokenizerFiles, type Tokenizer } from "./tokenizer.ts";
import { alignTokenizer } from "./tokenizer-padding.ts";

const chunkBytes = 8 * 2 ** 20;

/** What a trained head adds to the folder that it was trained on. */
export interface TrainedHead {
  /** [H] */
  readonly weight: Float32Array<ArrayBuffer>;
  readonly recipe: InputRecipe;
  readonly tokenizer?: Tokenizer | undefined;
  /** What made texts of conversations: the saved folder has it too, whatever the base has. */
  readonly chatTemplate?: ChatTemplate | undefined;
  /** Ids that the data's sequences end in, which the pad may not be. */
  readonly lastIds?: ReadonlySet<number>;
  /** Bytes of tensors in one file; default 50 GB. */
  readonly maxShardSize?: number;
}

/** Writes config.json, the weights and the tokenizer's files to `out`, each atomically, the weights last. */
export async function saveRewardModel(out: string, base: ModelFolder, head: TrainedHead): Promise<void> {
  await mkdir(out, { recursive: true });
  const { recipe, tokenizer, lastIds = new Set<number>() } = head;
  const padding =
    ownPadding(base, lastIds) ?? savedPadding(base.config.vocabSize, recipe, tokenizer, lastIds);
  const named = await namedTemplateFiles(base.dir);
  if (named.length > 0) await mkdir(join(out, NAMED_TEMPLATES), { recursive: true });
  for (const file of [...(await listTokenizerFiles(base.dir)), ...named])
    await writeFileAtomic(join(out, file), await readFile(join(base.dir, file)));
  if (head.chatTemplate !== undefined) await saveTemplate(out, head.chatTemplate);
  if (head.tokenizer !== undefined) await alignTokenizer(out, head.tokenizer, padding);
  const config = savedConfig(base.config, head.recipe, padding);
  await writeFileAtomic(join(out, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  await writeCheckpoint(out, [...backboneSources(base, padding), headSource(head.weight)], head.maxShardSize);
}

/** As chat_template.jinja, unless what was copied from the base says the same already. */
async function saveTemplate(out: string, template: ChatTemplate): Promise<void> {
  if ((await findChatTemplate(out))?.sha256 === template.sha256) return;
  await writeFileAtomic(join(out, TEMPLATE_FILE), template.source);
}

/** A checkpoint of ours has found its pad: trained again and again, its vocabulary does not grow each time. */
function ownPadding({ hasRecipe, config }: ModelFolder, lastIds: ReadonlySet<number>) {
  const { padTokenId } = config;
  if (!hasRecipe || padTokenId === undefined || lastIds.has(padTokenId)) return undefined;
  return { padTokenId, grow: false };
}

function savedConfig(
  config: ModelConfig,
  recipe: InputRecipe,
  padding: SavedPadding,
): Record<string, unknown> {
  return {
    ...config.raw,
    architectures: [architectureName(config.family, "sequence-classification")],
    num_labels: 1,
    id2label: { "0": "LABEL_0" },
    label2id: { LABEL_0: 0 },
    vocab_size: config.vocabSize + (padding.grow ? 1 : 0),
    pad_token_id: padding.padTokenId,
    [RECIPE_KEY]: serialiseRecipe(recipe),
  };
}

function backboneSources({ checkpoint, config }: ModelFolder, padding: SavedPadding): TensorSource[] {
  const { found } = resolveTensors(config, checkpoint.tensors);
  const sources: TensorSource[] = [];
  for (const spec of expectedTensors(config)) {
    if (spec.role === "lm_head" || spec.role === "score") continue;
    const info = checkpoint.tensors.get(found.get(tensorKey(spec.role, spec.layer)) ?? "");
    if (info === undefined) throw new Error(`The checkpoint has no ${tensorKey(spec.role, spec.layer)}`);
    const name = hfName(config, spec.role, spec.layer);
    const grown = spec.role === "embed" && padding.grow;
    const shape = grown ? [(info.shape[0] ?? 0) + 1, ...info.shape.slice(1)] : info.shape;
    sources.push({ name, dtype: info.dtype, shape, data: () => stored(checkpoint, info, grown) });
  }
  return sources;
}

/** The tensor's bytes as they are; a grown embedding ends with a row of zeros, which no sequence reads. */
async function* stored(checkpoint: Checkpoint, info: TensorInfo, grown: boolean): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of checkpoint.chunks(info, chunkBytes)) yield bytes;
  if (grown) yield new Uint8Array((info.end - info.begin) / (info.shape[0] ?? 1));
}

function headSource(weight: Float32Array<ArrayBuffer>): TensorSource {
  return {
    name: headName,
    dtype: "F32",
    shape: [1, weight.length],
    data: () => new Uint8Array(weight.buffer),
  };
}
