/**
 * @file Folds an adapter into its base: W + scale * B A, computed in float64 and rounded once to the dtype in which the
 * base stores W, tensor by tensor, a bounded number of bytes at a time.
 */
import { InputError } from "../../errors.ts";
import { type ChatTemplate, readChatTemplate } from "../chat/template.ts";
import { tensorKey } from "../families/tensors.ts";
import type { ModelFolder } from "../model-folder.ts";
import {
  type Checkpoint,
  defaultMaxShardSize,
  fromFloat32,
  type TensorInfo,
  toFloat64,
} from "../safetensors/index.ts";
import { type Replace, saveLanguageModel, saveRewardModel } from "../save.ts";
import { findTokenizer } from "../tokenizer.ts";
import type { Adapter, AdapterPart } from "./open-adapter.ts";

const chunkBytes = 8 * 2 ** 20;

/** What a merged folder is: a classifier with the adapter's head, or a language model. */
export type MergedKind = "reward model" | "language model";

/**
 * Writes the merged model to `out`, sharded as the base is.
 * @throws InputError where neither is possible: an adapter without a head on a model without a vocabulary head
 */
export async function mergeAdapter(out: string, base: ModelFolder, adapter: Adapter): Promise<MergedKind> {
  const { parts, head, dir } = adapter;
  const common = {
    recipe: adapter.recipe ?? base.recipe,
    replace: replaceBy(parts, base.checkpoint),
    chatTemplate: await templateOf(adapter),
    maxShardSize: shardSizeOf(base.checkpoint),
  };
  if (head !== undefined) {
    const { tokenizer } = await findTokenizer(base.dir);
    await saveRewardModel(out, base, { ...common, weight: head, tokenizer });
    return "reward model";
  }
  if (adapter.task === "SEQ_CLS" || base.config.architecture !== "causal-lm") {
    throw new InputError(
      `${dir} has no reward head (score.weight), and what it would be merged into is no language model: there is nothing that gives a reward`,
    );
  }
  const { reward } = adapter;
  await saveLanguageModel(out, base, { ...common, reward, untied: tiedHeadReplace(base, parts) });
  return "language model";
}

async function templateOf({ chatTemplate }: Adapter): Promise<ChatTemplate | undefined> {
  return chatTemplate === undefined ? undefined : readChatTemplate(chatTemplate);
}

/** Bytes of the largest file's tensors; where there is but one file, as the writer likes. */
function shardSizeOf({ files, tensors }: Checkpoint): number {
  if (files.length < 2) return defaultMaxShardSize;
  const sizes = new Map<string, number>();
  for (const { file, begin, end } of tensors.values()) sizes.set(file, (sizes.get(file) ?? 0) + end - begin);
  return Math.max(...sizes.values());
}

/** The weights that have an update. */
function replaceBy(parts: readonly AdapterPart[], checkpoint: Checkpoint): Replace {
  const byTensor = new Map(parts.map((part) => [tensorKey(part.module.role, part.module.layer), part]));
  return ({ role, layer }, info) => {
    // A tied head's update is not the embedding's.
    const part = role === "embed" ? undefined : byTensor.get(tensorKey(role, layer));
    return part && (() => merged(checkpoint, info, part));
  };
}

function tiedHeadReplace(
  { config, checkpoint }: ModelFolder,
  parts: readonly AdapterPart[],
): Replace | undefined {
  const part = parts.find(({ module }) => module.linear === "lm_head");
  return config.tied && part ? (_, info) => () => merged(checkpoint, info, part) : undefined;
}

/** The bytes of W + scale * B A as W is stored: [out, in], or Conv1D's [in, out]. */
async function* merged(
  checkpoint: Checkpoint,
  info: TensorInfo,
  { module, r, scale, values: { a, b } }: AdapterPart,
): AsyncGenerator<Uint8Array> {
  const [rows, cols] = module.transposed ? [module.in, module.out] : [module.out, module.in];
  // As a sum of r outer products of a column over the rows and a row over the columns.
  const column = module.transposed
    ? (j: number, i: number) => a[j * rows + i]!
    : (j: number, i: number) => b[i * r + j]!;
  const right = module.transposed ? transposed(b, r) : a;
  const rowBytes = (info.end - info.begin) / rows;
  const perChunk = Math.max(1, Math.floor(chunkBytes / rowBytes));
  for (let first = 0; first < rows; first += perChunk) {
    const count = Math.min(perChunk, rows - first);
    const range = { byteOffset: first * rowBytes, byteLength: count * rowBytes };
    const weights = toFloat64(await checkpoint.read(info, range), info.dtype);
    const update = new Float64Array(cols);
    for (let i = 0; i < count; i++) {
      update.fill(0);
      for (let j = 0; j < r; j++) {
        const factor = column(j, first + i);
        for (let k = 0; k < cols; k++) update[k]! += factor * right[j * cols + k]!;
      }
      for (let k = 0; k < cols; k++) weights[i * cols + k]! += scale * update[k]!;
    }
    yield info.dtype === "F64"
      ? new Uint8Array(weights.buffer)
      : fromFloat32(Float32Array.from(weights), info.dtype);
  }
}

/** [rows, cols] -> [cols, rows] */
function transposed(values: Float32Array, cols: number): Float32Array {
  const rows = values.length / cols;
  return values.map((_, i) => values[(i % rows) * cols + Math.floor(i / rows)]!);
}
