/**
 * @file Writes a checkpoint as transformers' save_pretrained does: `model.safetensors`, or where that would be larger
 * than wanted, `model-00001-of-00003.safetensors` and so on with `model.safetensors.index.json`.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../atomic-file.ts";
import { tensorByteLength } from "./dtype.ts";
import { INDEX, SINGLE } from "./locate.ts";
import { type TensorSource, writeSafetensors } from "./write.ts";

/** Bytes of a file's tensors; that of transformers 5 (its version 4 had 5 GB). */
export const defaultMaxShardSize = 50e9;

const shardName = /^model-\d{5}-of-\d{5}\.safetensors$/;

/**
 * Writes the tensors into `folder`, in their order, and removes the files of another checkpoint that was there. Each
 * file appears when it is complete; the index comes last, and an old one goes first, so that files of two checkpoints
 * never look like one.
 * @param maxShardSize bytes of one file's tensors; a larger tensor has a file of its own
 * @throws RmtrainError as `writeSafetensors`
 */
export async function writeCheckpoint(
  folder: string,
  tensors: Iterable<TensorSource>,
  maxShardSize: number = defaultMaxShardSize,
): Promise<void> {
  const shards = splitIntoShards([...tensors], maxShardSize);
  const names = shards.map((_, i) => fileName(i, shards.length));
  await rm(join(folder, INDEX), { force: true });
  for (const [i, shard] of shards.entries()) await writeSafetensors(join(folder, names[i] ?? SINGLE), shard);
  if (shards.length > 1) await writeFileAtomic(join(folder, INDEX), indexOf(shards, names));
  for (const file of await readdir(folder)) {
    const isWeights = file === SINGLE || shardName.test(file);
    if (isWeights && !names.includes(file)) await rm(join(folder, file));
  }
}

/** huggingface_hub's rule: tensors in order, a new shard where the next would not fit; a too large one stands alone. */
function splitIntoShards(tensors: readonly TensorSource[], maxShardSize: number): TensorSource[][] {
  const shards: TensorSource[][] = [];
  let current: TensorSource[] = [];
  let size = 0;
  for (const tensor of tensors) {
    const bytes = byteLength(tensor);
    if (bytes > maxShardSize) {
      shards.push([tensor]);
      continue;
    }
    if (size + bytes > maxShardSize) {
      shards.push(current);
      current = [];
      size = 0;
    }
    current.push(tensor);
    size += bytes;
  }
  if (current.length > 0 || shards.length === 0) shards.push(current);
  return shards;
}

function fileName(i: number, count: number): string {
  const five = (n: number) => String(n).padStart(5, "0");
  return count === 1 ? SINGLE : `model-${five(i + 1)}-of-${five(count)}.safetensors`;
}

/** The index with transformers' keys, order and spacing. */
function indexOf(shards: readonly (readonly TensorSource[])[], names: readonly string[]): string {
  const tensors = shards.flat();
  const sum = (of: (tensor: TensorSource) => number) => tensors.reduce((total, t) => total + of(t), 0);
  const entries = shards.flatMap((shard, i) => shard.map(({ name }) => [name, names[i]] as const));
  const index = {
    metadata: {
      total_parameters: sum(({ shape }) => shape.reduce((a, b) => a * b, 1)),
      total_size: sum(byteLength),
    },
    weight_map: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}

/** A shape that is none is refused when its tensor is written. */
const byteLength = ({ dtype, shape }: TensorSource) => tensorByteLength(dtype, shape) ?? 0;
