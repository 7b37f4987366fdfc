/** @file The folder of text that a base is made of: what is trained on, what is held out, and their bytes. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import { findFiles } from "../../../src/data/sources/files.ts";
import { InputError } from "../../../src/errors.ts";

export interface Corpus {
  /** Files trained on, and files whose names begin with "valid", which are not. */
  readonly train: readonly string[];
  readonly valid: readonly string[];
}

/** @throws InputError where the folder has no .txt or .txt.gz file, or none to hold out */
export async function findCorpus(folder: string): Promise<Corpus> {
  const files = await findFiles(folder, "**/*.{txt,txt.gz}");
  const isHeld = (file: string) => basename(file).startsWith("valid");
  const corpus = { train: files.filter((file) => !isHeld(file)), valid: files.filter(isHeld) };
  if (corpus.train.length === 0 || corpus.valid.length === 0) {
    throw new InputError(
      `${folder}: expected .txt or .txt.gz files to train on, and one whose name begins with "valid" to hold out`,
    );
  }
  return corpus;
}

/** A UTF-8 file, plain or gzip. */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file);
  return (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

export interface TextFacts {
  readonly name: string;
  /** Of the text, unpacked. */
  readonly bytes: number;
  readonly sha256: string;
}

export async function factsOf(file: string): Promise<TextFacts> {
  const bytes = Buffer.from(await readText(file), "utf8");
  return {
    name: basename(file),
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}
