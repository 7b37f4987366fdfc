/**
 * @file The chat template of a model folder, where transformers would find it: chat_template.jinja, then
 * additional_chat_templates/NAME.jinja, then tokenizer_config.json's `chat_template`, one string or a list of
 * {name, template}.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { InputError } from "../../errors.ts";

/** The file that takes precedence over all others, in which our checkpoints carry their template. */
export const TEMPLATE_FILE = "chat_template.jinja";
/** A folder of templates by name, beside the default one. */
export const NAMED_TEMPLATES = "additional_chat_templates";

export interface ChatTemplate {
  /** Jinja. */
  readonly source: string;
  /** Of the source's UTF-8, hexadecimal. */
  readonly sha256: string;
  /** The file it stands in, and its name there where it has one; for messages. */
  readonly origin: string;
}

const DEFAULT = "default";
const named = z.array(z.object({ name: z.string(), template: z.string() }));
const settings = z.looseObject({ chat_template: z.union([z.string(), named]).nullish() });

/** @param origin what messages call it */
export function chatTemplate(source: string, origin: string): ChatTemplate {
  return { source, origin, sha256: createHash("sha256").update(source).digest("hex") };
}

/**
 * A folder's template; undefined where it has none.
 * @param name of one among several; "default" where not given
 * @throws InputError where there are templates but none of that name, or a file can't be read
 */
export async function findChatTemplate(dir: string, name = DEFAULT): Promise<ChatTemplate | undefined> {
  const all = await templatesOf(dir);
  const found = all.get(name);
  if (found !== undefined) return found;
  if (all.size === 0 && name === DEFAULT) return undefined;
  const names = [...all.keys()].join(", ");
  const has = all.size === 0 ? "it has none" : `it has: ${names}`;
  throw new InputError(
    `${dir} has no chat template named ${name}; ${has}. Name one with --chat-template-name`,
  );
}

/**
 * What --chat-template names: a Jinja file, or a model folder whose template is taken.
 * @throws InputError where there is none
 */
export async function readChatTemplate(path: string, name?: string): Promise<ChatTemplate> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new InputError(`--chat-template ${path}: no such file or folder`);
  if (!found.isDirectory()) {
    if (name !== undefined)
      throw new InputError(`--chat-template-name chooses among the templates of a folder; ${path} is a file`);
    const source = await readText(path);
    if (source === undefined || source.trim() === "")
      throw new InputError(`--chat-template ${path} is empty`);
    if (!source.includes("{{") && !source.includes("{%"))
      throw new InputError(`--chat-template ${path} holds no Jinja: neither {{ nor {% occurs in it`);
    return chatTemplate(source, path);
  }
  const template = await findChatTemplate(path, name);
  if (template === undefined) {
    throw new InputError(
      `--chat-template ${path}: the folder has no ${TEMPLATE_FILE}, and no chat_template in a tokenizer_config.json`,
    );
  }
  return template;
}

/** By name; the first place that has a name wins. */
async function templatesOf(dir: string): Promise<Map<string, ChatTemplate>> {
  const templates = new Map<string, ChatTemplate>();
  const add = (name: string, source: string, origin: string) => {
    if (!templates.has(name)) templates.set(name, chatTemplate(source, origin));
  };
  const file = join(dir, TEMPLATE_FILE);
  const own = await readText(file);
  if (own !== undefined) add(DEFAULT, own, file);
  for (const entry of await namedTemplateFiles(dir)) {
    const path = join(dir, entry);
    add(basename(entry, ".jinja"), (await readText(path)) ?? "", path);
  }
  const config = join(dir, "tokenizer_config.json");
  const given = await templateSetting(config);
  if (typeof given === "string") add(DEFAULT, given, config);
  else for (const { name, template } of given) add(name, template, `${config}, chat template ${name}`);
  return templates;
}

/** The templates by name that a folder carries beside its default one, as paths inside it, sorted. */
export async function namedTemplateFiles(dir: string): Promise<string[]> {
  const entries = await readdir(join(dir, NAMED_TEMPLATES)).catch(() => []);
  return entries
    .filter((entry) => entry.endsWith(".jinja"))
    .sort()
    .map((entry) => join(NAMED_TEMPLATES, entry));
}

async function templateSetting(file: string) {
  const text = await readText(file);
  if (text === undefined) return [];
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InputError(`${file}: not JSON; the file is damaged`);
  }
  const result = settings.safeParse(json);
  if (result.success) return result.data.chat_template ?? [];
  throw new InputError(`${file}: chat_template is a string, or a list of {name, template}`);
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new InputError(`${file}: can't be read (${error instanceof Error ? error.message : error})`);
  }
}
