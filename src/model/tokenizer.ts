/** @file A model folder's tokenizer.json, with the special ids that its neighbouring files name. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Tokenizer as Engine } from "@huggingface/tokenizers";
import { z } from "zod";
import { InputError } from "../errors.ts";

export interface Tokenizer {
  /** Ids from 0 to vocabSize - 1 may come out; the model's own vocabulary may be larger. */
  readonly vocabSize: number;
  readonly bosTokenId?: number;
  readonly eosTokenId?: number;
  readonly padTokenId?: number;
  /** What stands for characters that the vocabulary cannot write; a text may end in it. */
  readonly unkTokenId?: number;
  /** Ids of all tokens marked special, ascending. */
  readonly specialIds: readonly number[];
  /**
   * The ids of a text. Special tokens (a BOS, usually) are those of the tokenizer's own post-processor.
   * @throws InputError where the text holds a character that the vocabulary can't write.
   */
  encode(text: string, options: { readonly addSpecialTokens: boolean }): Int32Array;
  /** The text of ids, special tokens included; an incomplete UTF-8 sequence gives U+FFFD. */
  decode(ids: ArrayLike<number>): string;
}

/** Files that belong to a tokenizer: what to copy so that a checkpoint loads on its own. */
const TOKENIZER_FILES: readonly string[] = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "tokenizer.model",
  "chat_template.jinja",
];

/** The names of the tokenizer files that `dir` holds. */
export async function listTokenizerFiles(dir: string): Promise<string[]> {
  const present = new Set(await readdir(dir));
  return TOKENIZER_FILES.filter((name) => present.has(name));
}

/** A folder's tokenizer, or what to tell a record of text for which there is none. */
export type FoundTokenizer =
  | { readonly tokenizer: Tokenizer; readonly missing?: undefined }
  | { readonly tokenizer?: undefined; readonly missing: string };

/**
 * A folder without tokenizer.json is no error yet: records of ids need none.
 * @throws InputError where there is one that can't be used
 */
export async function findTokenizer(dir: string): Promise<FoundTokenizer> {
  const present = (await listTokenizerFiles(dir)).includes("tokenizer.json");
  return present ? { tokenizer: await loadTokenizer(dir) } : { missing: await missingTokenizer(dir) };
}

/**
 * Loads tokenizer.json, and the special tokens' names from the files beside it.
 * @throws InputError where there is no tokenizer.json, or one that can't be used.
 */
export async function loadTokenizer(dir: string): Promise<Tokenizer> {
  const file = join(dir, "tokenizer.json");
  const json = await readJsonObject(file);
  if (json === undefined) throw new InputError(await missingTokenizer(dir));
  const settings = (await readJsonObject(join(dir, "tokenizer_config.json"))) ?? {};
  let engine: Engine;
  try {
    engine = new Engine(json, settings);
  } catch (error) {
    throw new InputError(`${file}: not a tokenizer that can be used here: ${reason(error)}`);
  }
  const sources = [
    settings,
    (await readJsonObject(join(dir, "special_tokens_map.json"))) ?? {},
    (await readJsonObject(join(dir, "config.json"))) ?? {},
  ];
  return wrap(engine, sources, file);
}

function wrap(engine: Engine, sources: readonly Record<string, unknown>[], file: string): Tokenizer {
  const bos = specialId(engine, sources, "bos");
  const eos = specialId(engine, sources, "eos");
  const pad = specialId(engine, sources, "pad");
  const unk = specialId(engine, sources, "unk");
  const special = [...engine.get_added_tokens_decoder().values()].filter((token) => token.special);
  const vocabulary = engine.get_vocab();
  let vocabSize = 0;
  for (const id of vocabulary.values()) vocabSize = Math.max(vocabSize, id + 1);
  return {
    vocabSize,
    ...(bos === undefined ? {} : { bosTokenId: bos }),
    ...(eos === undefined ? {} : { eosTokenId: eos }),
    ...(pad === undefined ? {} : { padTokenId: pad }),
    ...(unk === undefined ? {} : { unkTokenId: unk }),
    specialIds: special.map((token) => token.id).sort((a, b) => a - b),
    encode(text, { addSpecialTokens }) {
      const ids: (number | undefined)[] = engine.encode(text, { add_special_tokens: addSpecialTokens }).ids;
      if (ids.some((id) => id === undefined)) {
        throw new InputError(
          `${file}: the vocabulary has no token for a part of ${JSON.stringify(text.slice(0, 80))}`,
        );
      }
      return Int32Array.from(ids, (id) => id ?? 0);
    },
    decode(ids) {
      if (ids.length === 0) return "";
      return engine.decode(Array.from(ids), {
        skip_special_tokens: false,
        clean_up_tokenization_spaces: false,
      });
    },
  };
}

const namedToken = z.union([
  z.string(),
  z.object({ content: z.string() }).transform((token) => token.content),
]);
const givenId = z.union([
  z.int().min(0),
  z
    .array(z.int().min(0))
    .nonempty()
    .transform((ids) => ids[0]),
]);

/**
 * The first source that names the token by a string which the vocabulary has, else the first that gives an id. Of
 * a list of ids (generation stops at any of them) the first is taken.
 */
function specialId(
  engine: Engine,
  sources: readonly Record<string, unknown>[],
  role: "bos" | "eos" | "pad" | "unk",
) {
  for (const source of sources) {
    const name = namedToken.safeParse(source[`${role}_token`]);
    const id = name.success ? engine.token_to_id(name.data) : undefined;
    if (id !== undefined) return id;
  }
  for (const source of sources) {
    const id = givenId.safeParse(source[`${role}_token_id`]);
    if (id.success) return id.data;
  }
  return undefined;
}

/** The object in a JSON file; undefined where the file doesn't exist. */
export async function readJsonObject(file: string): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new InputError(`${file}: can't be read (${reason(error)})`);
  }
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    throw new InputError(`${file}: not a JSON object; the file is damaged or not a tokenizer's`);
  }
}

async function missingTokenizer(dir: string): Promise<string> {
  const present = new Set(await readdir(dir).catch(() => []));
  const others = ["vocab.json", "merges.txt", "tokenizer.model"].filter((name) => present.has(name));
  const advice =
    others.length > 0
      ? `${others.join(" and ")} alone don't say how text is split; make it once with transformers: AutoTokenizer.from_pretrained("${dir}").save_pretrained("${dir}")`
      : "put the model's tokenizer.json there";
  return `${dir} has no tokenizer.json; ${advice}. Records with ids (chosen_ids, rejected_ids, input_ids) need none.`;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
