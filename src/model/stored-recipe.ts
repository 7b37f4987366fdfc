/** @file The input recipe as config.json holds it, under `rmtrain`: version 2, and version 1 of rmtrain 0.1.0. */
import { z } from "zod";
import { bosRules } from "../data/bos.ts";
import { overlongs } from "../data/tokenise.ts";
import { InputError } from "../errors.ts";
import { HUGGING_FACE_RECIPE, type InputRecipe } from "./recipe.ts";

/** The key in config.json. */
export const RECIPE_KEY = "rmtrain";

const id = z.int().min(0);
const ids = z.array(id);
const always = {
  add_eos: z.boolean(),
  eos_token_id: id.optional(),
  read_position: z.enum(["last", "rightmost-non-pad"]),
};
// Strict: a key that this version does not know may change what the reward means.
const version1 = z.strictObject({ version: z.literal(1), ...always });
const version2 = z.strictObject({
  version: z.literal(2),
  ...always,
  bos: z.enum(bosRules),
  chat: z
    .strictObject({
      template_sha256: z.string().regex(/^[0-9a-f]{64}$/),
      clock: z
        .string()
        .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
        .optional(),
      end_of_turn: ids,
      add_eos: z.boolean(),
    })
    .optional(),
  tokenizer: z
    .strictObject({ bos_token_id: id.optional(), eos_token_id: id.optional(), before: ids, after: ids })
    .optional(),
  truncation: z.strictObject({ side: z.enum(overlongs), max_length: z.int().min(1) }).optional(),
  precision: z.enum(["f16", "f16-emulated"]).optional(),
});
const stored = z
  .discriminatedUnion("version", [version1, version2], {
    error: (issue) =>
      issue.code === "invalid_union"
        ? "written by another version of rmtrain; this one reads versions 1 and 2"
        : "expected an object with a version",
  })
  .refine((r) => !(r.add_eos || (r.version === 2 && r.chat?.add_eos)) || r.eos_token_id !== undefined, {
    path: ["eos_token_id"],
    error: "missing although add_eos is true",
  });

type Stored = z.infer<typeof stored>;
/** The plain JSON that goes under `rmtrain` in config.json. */
export type StoredRecipe = z.infer<typeof version2>;

/** A recipe as far as it is understood, and what is not. */
export interface ReadRecipe {
  readonly recipe: InputRecipe;
  /** "config.json: rmtrain.FIELD: reason", each. */
  readonly problems: readonly string[];
}

/**
 * The recipe of a checkpoint. What can't be followed is left out of the recipe and told.
 * @param config the parsed config.json.
 * @param where the file's name, for problems.
 */
export function readRecipe(config: Readonly<Record<string, unknown>>, where = "config.json"): ReadRecipe {
  const given = config[RECIPE_KEY];
  if (given === undefined) return { recipe: HUGGING_FACE_RECIPE, problems: [] };
  const result = stored.safeParse(given);
  if (result.success) return { recipe: fromStored(result.data), problems: [] };
  const problems = result.error.issues.map(
    ({ path, message }) => `${where}: ${[RECIPE_KEY, ...path].join(".")}: ${message}`,
  );
  return { recipe: salvage(given), problems };
}

/** @throws InputError where the recipe is there but can't be followed */
export function parseRecipe(config: Readonly<Record<string, unknown>>, where?: string): InputRecipe {
  const { recipe, problems } = readRecipe(config, where);
  if (problems[0] !== undefined) throw new InputError(problems[0]);
  return recipe;
}

/** The fields that have values which are known here. */
function salvage(given: unknown): InputRecipe {
  const fields = z.record(z.string(), z.unknown()).safeParse(given).data ?? {};
  const known: Record<string, unknown> = { version: 2, bos: "auto" };
  const { addEos, readPosition } = HUGGING_FACE_RECIPE;
  Object.assign(known, { add_eos: addEos, read_position: readPosition });
  for (const [name, schema] of Object.entries(version2.shape)) {
    const value = schema.safeParse(fields[name]);
    if (name !== "version" && fields[name] !== undefined && value.success) known[name] = value.data;
  }
  const result = stored.safeParse(known);
  return result.success ? fromStored(result.data) : HUGGING_FACE_RECIPE;
}

function fromStored(s: Stored): InputRecipe {
  const recipe: InputRecipe = {
    addEos: s.add_eos,
    ...(s.eos_token_id === undefined ? {} : { eosTokenId: s.eos_token_id }),
    readPosition: s.read_position,
  };
  if (s.version === 1) return recipe;
  const { chat, tokenizer, truncation, precision } = s;
  return {
    ...recipe,
    bos: s.bos,
    ...(chat && {
      chat: {
        templateSha256: chat.template_sha256,
        ...(chat.clock === undefined ? {} : { clock: chat.clock }),
        endOfTurn: chat.end_of_turn,
        addEos: chat.add_eos,
      },
    }),
    ...(tokenizer && {
      tokenizer: {
        ...(tokenizer.bos_token_id === undefined ? {} : { bosTokenId: tokenizer.bos_token_id }),
        ...(tokenizer.eos_token_id === undefined ? {} : { eosTokenId: tokenizer.eos_token_id }),
        before: tokenizer.before,
        after: tokenizer.after,
      },
    }),
    ...(truncation && { truncation: { side: truncation.side, maxLength: truncation.max_length } }),
    ...(precision && { precision }),
  };
}

/** The inverse of `parseRecipe`: `{...config, [RECIPE_KEY]: serialiseRecipe(recipe)}`. */
export function serialiseRecipe(recipe: InputRecipe): StoredRecipe {
  const { chat, tokenizer, truncation, precision } = recipe;
  return {
    version: 2,
    bos: recipe.bos ?? "auto",
    add_eos: recipe.addEos,
    ...(recipe.eosTokenId === undefined ? {} : { eos_token_id: recipe.eosTokenId }),
    ...(chat && {
      chat: {
        template_sha256: chat.templateSha256,
        ...(chat.clock === undefined ? {} : { clock: chat.clock }),
        end_of_turn: [...chat.endOfTurn],
        add_eos: chat.addEos,
      },
    }),
    ...(truncation && { truncation: { side: truncation.side, max_length: truncation.maxLength } }),
    read_position: recipe.readPosition,
    ...(tokenizer && {
      tokenizer: {
        ...(tokenizer.bosTokenId === undefined ? {} : { bos_token_id: tokenizer.bosTokenId }),
        ...(tokenizer.eosTokenId === undefined ? {} : { eos_token_id: tokenizer.eosTokenId }),
        before: [...tokenizer.before],
        after: [...tokenizer.after],
      },
    }),
    ...(precision && { precision }),
  };
}
