/**
 * @file The content hash of the tensors that feed the backbone. Heads are left out, so that a trained reward model
 * shares the features of its base; a causal LM's vocabulary head counts where log-probabilities are kept.
 *
 * Gigabytes are hashed once: the result is remembered beside the features for files whose path, device, inode, size,
 * mtime and ctime are the same. A program can set a file's mtime but not its ctime, so that this is as safe as git's
 * index; like git, it does not remember files that were written within the last seconds, in which a second write may
 * leave the same times. A file system that keeps no ctime of its own is not safe.
 */
import { createHash } from "node:crypto";
import { readFile, realpath, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../model/atomic-file.ts";
import { resolveTensors } from "../../model/families/tensors.ts";
import type { ModelFolder } from "../../model/model-folder.ts";
import type { TensorInfo } from "../../model/safetensors/index.ts";

/** Host bytes per read. */
const chunkBytes = 8 * 2 ** 20;
/** Files younger than this may be written again without a change of their times. */
const settledMs = 2000;
const heads = { backbone: ["lm_head", "score"], policy: ["score"] } as const;

const memo = z.object({ files: z.string(), weights: z.string().length(64), check: z.string() });

/** What is hashed: all that hidden states depend on, or all that log-probabilities do. */
export type HashedPart = "backbone" | "policy";

/** @param cacheDir where the hash is remembered; a failure to read or write it there costs only time */
export async function weightsHash(
  folder: ModelFolder,
  cacheDir: string,
  part: HashedPart = "backbone",
): Promise<string> {
  const tensors = tensorsOf(folder, part);
  const before = await identify(tensors);
  const file = join(cacheDir, `weights-${sha256(before.id).slice(0, 32)}.json`);
  const known = await recall(file, before.id);
  if (known !== undefined) return known;
  const weights = await hashTensors(folder, tensors);
  const settled = Date.now() - before.newestMs > settledMs;
  if (settled && (await identify(tensors)).id === before.id) {
    const text = JSON.stringify({ files: before.id, weights, check: checkOf(before.id, weights) });
    await writeFileAtomic(file, text).catch(() => undefined);
  }
  return weights;
}

type Named = readonly (readonly [key: string, info: TensorInfo])[];

function tensorsOf({ config, checkpoint }: ModelFolder, part: HashedPart): Named {
  const { found } = resolveTensors(config, checkpoint.tensors);
  const left: readonly string[] = heads[part];
  return [...found]
    .filter(([key]) => !left.includes(key))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, name]) => {
      const info = checkpoint.tensors.get(name);
      return info === undefined ? [] : [[key, info] as const];
    });
}

async function hashTensors({ checkpoint }: ModelFolder, tensors: Named): Promise<string> {
  const hash = createHash("sha256");
  for (const [key, info] of tensors) {
    hash.update(JSON.stringify([key, info.dtype, info.shape]));
    for await (const { bytes } of checkpoint.chunks(info, chunkBytes)) hash.update(bytes);
  }
  return hash.digest("hex");
}

/** The files as the system tells them apart from any other contents, and when the newest changed. */
async function identify(tensors: Named): Promise<{ readonly id: string; readonly newestMs: number }> {
  const files = [...new Set(tensors.map(([, { file }]) => file))].sort();
  let newestMs = 0;
  const facts: unknown[] = [];
  for (const file of files) {
    const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs, ctimeMs } = await stat(file, { bigint: true });
    newestMs = Math.max(newestMs, Number(mtimeMs), Number(ctimeMs));
    facts.push([await realpath(file), ...[dev, ino, size, mtimeNs, ctimeNs].map(String)]);
  }
  const places = tensors.map(([key, { name, dtype, shape, begin }]) => [key, name, dtype, shape, begin]);
  return { id: sha256(JSON.stringify([facts, places])), newestMs };
}

async function recall(file: string, id: string): Promise<string | undefined> {
  try {
    const { files, weights, check } = memo.parse(JSON.parse(await readFile(file, "utf8")));
    if (files !== id || check !== checkOf(id, weights)) return undefined;
    const now = new Date();
    await utimes(file, now, now).catch(() => undefined);
    return weights;
  } catch {
    return undefined; // not there, or damaged: hashed again
  }
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const checkOf = (id: string, weights: string) => sha256(`${id} ${weights}`);
