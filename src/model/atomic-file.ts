/**
 * @file Files that are either the old version or the whole new one, and folders that are whole or absent, also after a
 * crash or a power cut: written beside the target, flushed to the disk, then renamed.
 */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { RmtrainError } from "../errors.ts";

/**
 * Replaces (or creates) `path` with what `write` puts into the handle it is given. When anything fails, the
 * previous file stays as it was and nothing is left beside it.
 * @throws RmtrainError naming the path when the system refuses; whatever `write` throws passes unchanged
 */
export async function replaceFile(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  const temporary = temporaryBeside(path);
  const removeAtExit = () => rmSync(temporary, { force: true });
  process.once("exit", removeAtExit); // Ctrl-C ends the process in the middle of a write
  try {
    const handle = await open(temporary, "wx");
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to report
    if (isSystemError(error))
      throw new RmtrainError(`can't write ${path}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    process.off("exit", removeAtExit);
  }
  await syncFolder(folder);
}

/** Replaces (or creates) a file with these bytes, or this text as UTF-8, atomically. */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  await replaceFile(path, (handle) => handle.writeFile(data));
}

/**
 * Creates the folder `path` with the files that `write` puts into the folder it is given. When anything fails, there is
 * no such folder and nothing is left beside it.
 * @throws RmtrainError naming the path when the system refuses, also because it is there already
 */
export async function createFolder(path: string, write: (dir: string) => Promise<void>): Promise<void> {
  const temporary = temporaryBeside(path);
  const removeAtExit = () => rmSync(temporary, { recursive: true, force: true });
  process.once("exit", removeAtExit);
  try {
    await mkdir(temporary);
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    if (isSystemError(error))
      throw new RmtrainError(`can't write ${path}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    process.off("exit", removeAtExit);
  }
  await syncFolder(dirname(path));
}

/** Removes a folder such that a crash leaves all of it or, under a temporary name, what `removeTemporaries` takes away. */
export async function removeFolder(path: string): Promise<void> {
  const temporary = temporaryBeside(path);
  await rename(path, temporary);
  await rm(temporary, { recursive: true, force: true });
}

/** Removes what writers that were killed have left in a folder, if there is one. */
export async function removeTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((n) => /^\..+\.[0-9a-f]{12}\.tmp$/.test(n)))
    await rm(join(folder, name), { recursive: true, force: true });
}

function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
}

/** Whether the operating system, not our own code, raised this error (ENOENT, EACCES, ENOSPC, ...). */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

/** Makes the rename itself durable. Where folders can't be opened or flushed (Windows), the rename stands anyway. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}
