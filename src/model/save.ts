/**
 * @file Writes a reward model as Hugging Face's *ForSequenceClassification reads it: same names, shapes and keys, the
 * backbone's bytes copied as they were stored, the head as f32 `score.weight`, no vocabulary head; or a language model
 * as *ForCausalLM reads it. Weights that are replaced keep the dtype in which they were stored.
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
import type { TensorSpec } from "./families/family.ts";
import { architectureName, expectedTensors, hfName, resolveTensors, tensorKey } from "./families/tensors.ts";
import type { ModelFolder } from "./model-folder.ts";
import { type SavedPadding, savedPadding } from "./padding.ts";
import type { InputRecipe } from "./recipe.ts";
import { headName } from "./reward-head.ts";
import { type Checkpoint, type TensorInfo, type TensorSource, writeCheckpoint } from "./safetensors/index.ts";
import { RECIPE_KEY, serialiseRecipe } from "./stored-recipe.ts";
import { REWARD_KEY } from "./stored-reward.ts";
import { listTokenizerFiles, type Tokenizer } from "./tokenizer.ts";
import { alignTokenizer } from "./tokenizer-padding.ts";

const chunkBytes = 8 * 2 ** 20;

/**
 * The values of a stored tensor in place of its own, in its shape and dtype (`fromFloat32` rounds them); undefined: they
 * stay. A generator's chunks need not be whole rows.
 */
export type Replace = (spec: TensorSpec, info: TensorInfo) => TensorSource["data"] | undefined;

/** What training adds to the folder that it began with. */
export interface Trained {
  readonly recipe: InputRecipe;
  /** Weights that are no longer the base's. */
  readonly replace?: Replace | undefined;
  readonly tokenizer?: Tokenizer | undefined;
  /** What made texts of conversations: the saved folder has it too, whatever the base has. */
  readonly chatTemplate?: ChatTemplate | undefined;
  /** Ids that the data's sequences end in, which the pad may not be. */
  readonly lastIds?: ReadonlySet<number>;
  /** Bytes of tensors in one file; default 50 GB. */
  readonly maxShardSize?: number | undefined;
}

export interface TrainedHead extends Trained {
  /** [H] */
  readonly weight: Float32Array<ArrayBuffer>;
}

export interface TrainedLanguageModel extends Omit<Trained, "lastIds"> {
  /** A vocabulary head in place of the embedding's second use, for a model that ties them: then they part. */
  readonly untied?: Replace | undefined;
  /** How an implicit reward is made of its log-probabilities; see stored-reward.ts. */
  readonly reward?: Readonly<Record<string, unknown>> | undefined;
}

/** Writes config.json, the weights and the tokenizer's files to `out`, each atomically, the weights last. */
export async function saveRewardModel(out: string, base: ModelFolder, head: TrainedHead): Promise<void> {
  const { recipe, tokenizer, replace, lastIds = new Set<number>() } = head;
  const padding =
    ownPadding(base, lastIds) ?? savedPadding(base.config.vocabSize, recipe, tokenizer, lastIds);
  await copyTexts(out, base, head.chatTemplate);
  if (head.tokenizer !== undefined) await alignTokenizer(out, head.tokenizer, padding);
  await saveConfig(out, savedConfig(base.config, head.recipe, padding));
  const sources = backboneSources(base, replace, padding.grow);
  await writeCheckpoint(out, [...sources, headSource(head.weight)], head.maxShardSize);
}

/** The same for a causal LM, with its vocabulary head. */
export async function saveLanguageModel(
  out: string,
  base: ModelFolder,
  model: TrainedLanguageModel,
): Promise<void> {
  const { config } = base;
  const { recipe, replace, untied, reward } = model;
  await copyTexts(out, base, model.chatTemplate);
  await saveConfig(out, {
    ...config.raw,
    architectures: [architectureName(config.family, "causal-lm")],
    ...(untied === undefined ? {} : { tie_word_embeddings: false }),
    [RECIPE_KEY]: serialiseRecipe(recipe),
    // What the base was trained by is not what this one was.
    [REWARD_KEY]: reward,
  });
  await writeCheckpoint(
    out,
    [...backboneSources(base, replace), ...vocabularyHead(base, model)],
    model.maxShardSize,
  );
}

function vocabularyHead(base: ModelFolder, { replace, untied }: TrainedLanguageModel): TensorSource[] {
  const { tied } = base.config;
  if (tied && untied === undefined) return [];
  const spec = expectedTensors(base.config).find(({ role }) => role === (tied ? "embed" : "lm_head"));
  if (spec === undefined) throw new Error(`A model of ${base.config.architecture} has no vocabulary head`);
  return [{ ...sourcesOf(base, tied ? untied : replace)(spec), name: hfName(base.config, "lm_head") }];
}

/** The tokenizer's files and the chat templates. */
async function copyTexts(out: string, base: ModelFolder, template?: ChatTemplate): Promise<void> {
  await mkdir(out, { recursive: true });
  const named = await namedTemplateFiles(base.dir);
  if (named.length > 0) await mkdir(join(out, NAMED_TEMPLATES), { recursive: true });
  for (const file of [...(await listTokenizerFiles(base.dir)), ...named])
    await writeFileAtomic(join(out, file), await readFile(join(base.dir, file)));
  if (template !== undefined) await saveTemplate(out, template);
}

async function saveConfig(out: string, config: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFileAtomic(join(out, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
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
    [REWARD_KEY]: undefined,
  };
}

function backboneSources(base: ModelFolder, replace?: Replace, grow = false): TensorSource[] {
  const source = sourcesOf(base, replace);
  return expectedTensors(base.config)
    .filter(({ role }) => role !== "lm_head" && role !== "score")
    .map((spec) => source(spec, grow && spec.role === "embed"));
}

/** From a tensor's spec to its bytes. `grown`: with one more row. */
function sourcesOf({ config, checkpoint }: ModelFolder, replace?: Replace) {
  const { found } = resolveTensors(config, checkpoint.tensors);
  return (spec: TensorSpec, grown = false): TensorSource => {
    const key = tensorKey(spec.role, spec.layer);
    const info = checkpoint.tensors.get(found.get(key) ?? "");
    if (info === undefined) throw new Error(`The checkpoint has no ${key}`);
    const name = hfName(config, spec.role, spec.layer);
    const shape = grown ? [(info.shape[0] ?? 0) + 1, ...info.shape.slice(1)] : info.shape;
    const replaced = replace?.(spec, info);
    return { name, dtype: info.dtype, shape, data: () => stored(checkpoint, info, replaced, grown) };
  };
}

/** The tensor's bytes, its own or others; a grown embedding ends with a row of zeros, which no sequence reads. */
async function* stored(
  checkpoint: Checkpoint,
  info: TensorInfo,
  replaced: TensorSource["data"] | undefined,
  grown: boolean,
): AsyncGenerator<Uint8Array> {
  const data = replaced?.();
  if (data === undefined) for await (const { bytes } of checkpoint.chunks(info, chunkBytes)) yield bytes;
  else if (data instanceof Uint8Array) yield data;
  else yield* data;
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
