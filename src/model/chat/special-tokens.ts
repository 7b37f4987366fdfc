/** @file The special tokens that a template may name: bos_token and its kind, as transformers' special_tokens_map. */
import { join } from "node:path";
import { z } from "zod";
import { readJsonObject, type Tokenizer } from "../tokenizer.ts";

const roles = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"] as const;
const token = z.union([
  z.string(),
  z.object({ content: z.string() }).transform(({ content }) => content),
  z.null(),
]);

/**
 * By variable name. A role that no file mentions is taken from the tokenizer's id: transformers' classes have
 * defaults of their own (LlamaTokenizer: <s>, </s>). A file that says null means that there is none.
 */
export async function specialTokens(dir: string, tokenizer?: Tokenizer): Promise<Record<string, string>> {
  const files = await Promise.all(
    ["tokenizer_config.json", "special_tokens_map.json"].map((name) => readJsonObject(join(dir, name))),
  );
  const tokens: Record<string, string> = {};
  for (const role of roles) {
    const name = `${role}_token`;
    const given = files
      .map((file) => token.safeParse(file?.[name]).data)
      .find((value) => value !== undefined);
    const id =
      role === "sep" || role === "cls" || role === "mask" ? undefined : tokenizer?.[`${role}TokenId`];
    const text = given === undefined && id !== undefined ? tokenizer?.decode([id]) : given;
    if (text !== undefined && text !== null) tokens[name] = text;
  }
  return tokens;
}
