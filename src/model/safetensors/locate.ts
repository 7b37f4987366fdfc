/** @file Finds the safetensors files of a checkpoint: one file, or the shards that an index lists. */
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { InputError } from "../../errors.ts";
import { isSystemError } from "../atomic-file.ts";
import { MAX_HEADER_BYTES } from "./header.ts";
import { quoted } from "./scanner.ts";

export const SINGLE = "model.safetensors";
export const INDEX = `${SINGLE}.index.json`;
const PICKLES = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/** The files of a checkpoint, and for a sharded one the file (same spelling as in `files`) of each listed tensor. */
export interface CheckpointFiles {
  files: string[];
  index?: { path: string; fileOf: ReadonlyMap<string, string> };
}

/**
 * Finds the files of a checkpoint, as transformers does: `model.safetensors` in a folder, else its shards by
 * `model.safetensors.index.json`; or the file itself.
 * @throws InputError saying what is missing or, for a PyTorch pickle, how to convert it
 */
export async function locateFiles(path: string): Promise<CheckpointFiles> {
  const kind = await kindOf(path);
  if (kind === "file") {
    if (path.endsWith(".safetensors")) return { files: [path] };
    throw new InputError(`${path}: not a checkpoint: give a folder or a .safetensors file`);
  }
  if (kind === undefined) throw new InputError(`${path}: no such folder or regular file`);
  const single = join(path, SINGLE);
  if ((await kindOf(single)) === "file") return { files: [single] };
  const index = join(path, INDEX);
  if ((await kindOf(index)) === "file") return readIndex(index);
  for (const pickle of PICKLES) {
    if ((await kindOf(join(path, pickle))) === "file") throw new InputError(pickleMessage(path, pickle));
  }
  throw new InputError(`${path}: no ${SINGLE} and no ${INDEX} in this folder`);
}

async function readIndex(path: string): Promise<CheckpointFiles> {
  const { size } = await stat(path);
  if (size > MAX_HEADER_BYTES)
    throw new InputError(`${path}: ${size} bytes are too many for an index of shards`);
  const weightMap = weightMapOf(parseJson(await readFile(path, "utf8")));
  if (weightMap === undefined) throw new InputError(`${path}: must be a JSON object with a weight_map`);
  const folder = dirname(path);
  const fileOf = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(weightMap)) {
    if (typeof shard !== "string" || !staysInside(shard)) {
      throw new InputError(
        `${path}: tensor ${quoted(tensor)} must name a .safetensors file inside this folder, not ` +
          (typeof shard === "string" ? quoted(shard) : `a ${typeof shard}`),
      );
    }
    fileOf.set(tensor, join(folder, shard));
  }
  const files = [...new Set(fileOf.values())].sort();
  for (const file of files) {
    if ((await kindOf(file)) === "file") continue;
    throw new InputError(`${path}: the shard ${basename(file)} that it lists isn't there. Download it.`);
  }
  return { files, index: { path, fileOf } };
}

/** A relative path with no way up. Links are followed: a hub cache keeps shards as links into another folder. */
function staysInside(shard: string): boolean {
  const hasWayOut = isAbsolute(shard) || /[\\:\0]/.test(shard) || shard.split("/").includes("..");
  return !hasWayOut && shard.endsWith(".safetensors");
}

function weightMapOf(index: unknown): object | undefined {
  if (typeof index !== "object" || index === null || !("weight_map" in index)) return undefined;
  const map = index.weight_map;
  return typeof map === "object" && map !== null && !Array.isArray(map) ? map : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pickleMessage(folder: string, pickle: string): string {
  const model = JSON.stringify(folder);
  return (
    `${folder}: has only ${pickle}, a format that can run code when it is read. Convert it once: python -c ` +
    `'from transformers import AutoModel; AutoModel.from_pretrained(${model}).save_pretrained(${model}, safe_serialization=True)' ` +
    "(use the model's own class, such as AutoModelForSequenceClassification, to keep its head)"
  );
}

/** Neither for a pipe or a device: opening one could wait for ever. */
async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return "folder";
    return stats.isFile() ? "file" : undefined;
  } catch (error) {
    if (isSystemError(error) && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw isSystemError(error)
      ? new InputError(`can't read ${path}: ${error.message}`, { cause: error })
      : error;
  }
}
