/**
 * @file Reading config.json's fields through zod schemas, with transformers' defaults, and the refusals that
 * all families share the wording of.
 */
import { z } from "zod";
import { InputError } from "../../errors.ts";

/** A dimension. The bound keeps every index of the device an i32. */
export const size = z
  .int()
  .positive()
  .max(2 ** 31 - 1);
/** Layers: bounded, as a hostile config.json must not make us list 10^15 tensor names. */
export const layerCount = z.int().positive().max(4096);
export const epsilon = z.number().nonnegative();
/** A token id, or null. It may lie outside of the vocabulary: published configs have such (50256 of 53). */
export const tokenId = z.int().nullable().optional();
export const tokenIds = z
  .union([z.int(), z.array(z.int())])
  .nullable()
  .optional();

/** Checks `raw` against `schema`. Unknown keys pass. Throws InputError naming file and key. */
export function readFields<T>(schema: z.ZodType<T>, raw: unknown, file: string): T {
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const key = issue?.path.join(".") || "the whole file";
  throw new InputError(`${file}: ${key}: ${issue?.message ?? "not what a model's config.json holds"}`);
}

/** The error for a key that changes the arithmetic in a way that nobody has written here. */
export function notImplemented(file: string, key: string, value: unknown, known: string): InputError {
  return new InputError(
    `${file}: ${key} = ${JSON.stringify(value)} is not implemented (${known}); ` +
      "ignoring it would give wrong rewards. Use a checkpoint without it.",
  );
}

/** Optional token ids in the shape that ModelConfig has: absent and never null. */
export function specialTokens(ids: {
  pad?: number | null | undefined;
  bos?: number | null | undefined;
  eos?: number | number[] | null | undefined;
}): { padTokenId?: number; bosTokenId?: number; eosTokenId?: number[] } {
  return {
    ...(ids.pad == null ? {} : { padTokenId: ids.pad }),
    ...(ids.bos == null ? {} : { bosTokenId: ids.bos }),
    ...(ids.eos == null ? {} : { eosTokenId: [ids.eos].flat() }),
  };
}

/**
 * Head sizes that the attention and rotary kernels run, and query heads that share key/value heads evenly.
 * Throws InputError naming the key.
 */
export function checkHeads(heads: number, kvHeads: number, headDim: number, file: string): void {
  if (heads % kvHeads !== 0) {
    throw new InputError(
      `${file}: num_attention_heads (${heads}) is no multiple of num_key_value_heads (${kvHeads})`,
    );
  }
  if (headDim % 2 !== 0 || headDim < 4 || headDim > 256) {
    throw notImplemented(file, "head_dim", headDim, "even head sizes from 4 to 256 are");
  }
}
