/**
 * @file Makes a saved checkpoint's tokenizer pad with the id that its config names: Hugging Face reads the reward at
 * the rightmost id that isn't config.json's pad_token_id, so padding a batch with any other id moves that place.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "./atomic-file.ts";
import type { SavedPadding } from "./padding.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The token of a vocabulary row that was added for padding. */
const ADDED_PAD = "<|rmtrain_pad|>";

const tokenizerFile = z.looseObject({ added_tokens: z.array(z.unknown()).nullish() });
const settingsFile = z.record(z.string(), z.unknown());

/** Changes the copies of the tokenizer's files in `out` where they pad with another id, or with none. */
export async function alignTokenizer(
  out: string,
  tokenizer: Tokenizer,
  { padTokenId, grow }: SavedPadding,
): Promise<void> {
  if (tokenizer.padTokenId === padTokenId) return;
  if (grow) {
    // Tokenizers number added tokens without gaps; where the model has rows that the tokenizer lacks, none fits.
    if (tokenizer.vocabSize !== padTokenId) return;
    await addToken(join(out, "tokenizer.json"), padTokenId);
  }
  const file = join(out, "tokenizer_config.json");
  const settings = settingsFile.parse(JSON.parse(await readFile(file, "utf8").catch(() => "{}")));
  const pad_token = grow ? ADDED_PAD : tokenizer.decode([padTokenId]);
  await writeFileAtomic(file, `${JSON.stringify({ ...settings, pad_token }, null, 2)}\n`);
}

async function addToken(file: string, id: number): Promise<void> {
  const json = tokenizerFile.parse(JSON.parse(await readFile(file, "utf8")));
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const added_tokens = [...(json.added_tokens ?? []), { id, content: ADDED_PAD, ...flags }];
  await writeFileAtomic(file, `${JSON.stringify({ ...json, added_tokens }, null, 2)}\n`);
}
