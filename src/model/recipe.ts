/**
 * @file How a reward model wants its input: whether texts end in EOS and at which token the reward is read. Training
 * stores it in config.json under `rmtrain`, and scoring follows it, so that both read the same thing.
 */
import { z } from "zod";
import { InputError } from "../errors.ts";

/**
 * Which hidden state gives the reward. "last": the last token. "rightmost-non-pad": the rightmost token whose id is
 * not the config's pad_token_id, as Hugging Face's *ForSequenceClassification does.
 */
export type ReadPosition = "last" | "rightmost-non-pad";

export interface InputRecipe {
  /** Whether a text (never a record of ids) gets an EOS unless it already ends in one. */
  readonly addEos: boolean;
  /** The EOS that ends a sequence; present whenever `addEos` is true. */
  readonly eosTokenId?: number;
  readonly readPosition: ReadPosition;
}

/** The key in config.json. */
export const RECIPE_KEY = "rmtrain";

/** What a checkpoint without a recipe means: Hugging Face's own behaviour. */
export const HUGGING_FACE_RECIPE: InputRecipe = { addEos: false, readPosition: "rightmost-non-pad" };

// Strict: a key that this version does not know may change what the reward means.
const stored = z
  .strictObject({
    version: z.literal(1, { error: "written by another version of rmtrain; this one reads version 1" }),
    add_eos: z.boolean(),
    eos_token_id: z.int().min(0).optional(),
    read_position: z.enum(["last", "rightmost-non-pad"]),
  })
  .refine((r) => !r.add_eos || r.eos_token_id !== undefined, {
    path: ["eos_token_id"],
    error: "missing although add_eos is true",
  });

/** The plain JSON that goes under `rmtrain` in config.json. */
export type StoredRecipe = z.infer<typeof stored>;

/**
 * The recipe of a checkpoint.
 * @param config the parsed config.json.
 * @param where the file's name, for errors.
 * @throws InputError where the recipe is there but can't be followed.
 */
export function parseRecipe(config: Readonly<Record<string, unknown>>, where = "config.json"): InputRecipe {
  if (config[RECIPE_KEY] === undefined) return HUGGING_FACE_RECIPE;
  const result = stored.safeParse(config[RECIPE_KEY]);
  if (!result.success) {
    const issue = result.error.issues[0];
    const field = [RECIPE_KEY, ...(issue?.path ?? [])].join(".");
    throw new InputError(`${where}: ${field}: ${issue?.message ?? "invalid"}`);
  }
  const { add_eos, eos_token_id, read_position } = result.data;
  return {
    addEos: add_eos,
    ...(eos_token_id === undefined ? {} : { eosTokenId: eos_token_id }),
    readPosition: read_position,
  };
}

/** The inverse of `parseRecipe`: `{...config, [RECIPE_KEY]: serialiseRecipe(recipe)}`. */
export function serialiseRecipe(recipe: InputRecipe): StoredRecipe {
  return {
    version: 1,
    add_eos: recipe.addEos,
    ...(recipe.eosTokenId === undefined ? {} : { eos_token_id: recipe.eosTokenId }),
    read_position: recipe.readPosition,
  };
}

/**
 * The index of the token whose hidden state gives the reward of `ids`.
 * @param padTokenId the config's pad_token_id; without one, Hugging Face's rule is the last token too.
 */
export function readIndex(
  ids: ArrayLike<number>,
  recipe: Pick<InputRecipe, "readPosition">,
  padTokenId?: number | null,
): number {
  if (ids.length === 0) throw new RangeError("an empty sequence has no reward");
  if (recipe.readPosition === "last" || padTokenId === undefined || padTokenId === null)
    return ids.length - 1;
  let index = ids.length - 1;
  while (index > 0 && ids[index] === padTokenId) index -= 1;
  return index;
}
