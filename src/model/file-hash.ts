/** @file What files hold, told apart by SHA-256 and not by name or date. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename, join } from "node:path";
import { InputError } from "../errors.ts";
import { isSystemError } from "./atomic-file.ts";
import type { ModelFolder } from "./model-folder.ts";
import { listTokenizerFiles } from "./tokenizer.ts";

/**
 * SHA-256 of a file in lower-case hex; memory holds one chunk.
 * @throws InputError naming the file that can't be read
 */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk);
  } catch (error) {
    if (isSystemError(error)) throw new InputError(`${path}: can't be read (${error.message})`);
    throw error;
  }
  return hash.digest("hex");
}

/** SHA-256 of each file that makes a model what it is, by name: config.json, the weights, the tokenizer's files. */
export async function hashModel({ dir, checkpoint }: ModelFolder): Promise<Readonly<Record<string, string>>> {
  const others = ["config.json", ...(await listTokenizerFiles(dir))];
  const paths = [...others.map((name) => join(dir, name)), ...checkpoint.files];
  const hashes: Record<string, string> = {};
  for (const path of paths) hashes[basename(path)] = await sha256File(path);
  return hashes;
}
