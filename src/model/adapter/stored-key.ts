/**
 * @file What PEFT's layout has no place for: the base's hash, and how texts are to be read. It stands in the header of
 * adapter_model.safetensors under `rmtrain`: PEFT passes over it there (an unknown key in adapter_config.json it refuses,
 * or warns of), and it can't be parted from the weights.
 */
import { z } from "zod";
import { InputError } from "../../errors.ts";
import type { InputRecipe } from "../recipe.ts";
import { RECIPE_KEY, type ReadRecipe, readRecipe, serialiseRecipe } from "../stored-recipe.ts";

export interface AdapterKey {
  /** `hashBase` of the base. */
  readonly baseSha256: string;
  readonly recipe: InputRecipe;
  /** Of an implicit reward: how it is made of log-probabilities. */
  readonly reward?: Readonly<Record<string, unknown>> | undefined;
}

// Strict: a key that this version does not know may change what the reward means.
const schema = z.strictObject({
  version: z.literal(1),
  base_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  recipe: z.unknown(),
  reward: z.record(z.string(), z.unknown()).optional(),
});

/** The header's text. */
export function writeAdapterKey({ baseSha256, recipe, reward }: AdapterKey): Record<string, string> {
  const key: z.input<typeof schema> = {
    version: 1,
    base_sha256: baseSha256,
    recipe: serialiseRecipe(recipe),
    ...(reward === undefined ? {} : { reward: { ...reward } }),
  };
  return { [RECIPE_KEY]: JSON.stringify(key) };
}

export type ReadAdapterKey = ReadRecipe & Pick<AdapterKey, "baseSha256" | "reward">;

/**
 * Undefined where the adapter has none: it is not ours.
 * @throws InputError naming the file, where there is one that can't be followed
 */
export function readAdapterKey(
  metadata: Readonly<Record<string, string>>,
  file: string,
): ReadAdapterKey | undefined {
  const text = metadata[RECIPE_KEY];
  if (text === undefined) return undefined;
  const where = `${file}: header`;
  const result = schema.safeParse(parseJson(text));
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new InputError(
      `${where}: ${[RECIPE_KEY, ...(issue?.path ?? [])].join(".")}: ${issue?.message}; was it written by another version of rmtrain?`,
    );
  }
  const { base_sha256: baseSha256, recipe, reward } = result.data;
  return { baseSha256, reward, ...readRecipe({ [RECIPE_KEY]: recipe }, where) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
