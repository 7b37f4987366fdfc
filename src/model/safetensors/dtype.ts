/**
 * @file The element types of the safetensors format: their sizes, the order in which the reference writer lays
 * them out, and which of them this program reads.
 */

/**
 * Bits per element of every type that the format names, in the order of the reference's `Dtype` (rising
 * alignment, ties by declaration), which decides where the writer puts a tensor.
 */
const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** An element type as a safetensors header spells it. */
export type Dtype = keyof typeof BITS;

const RANK: ReadonlyMap<string, number> = new Map(Object.keys(BITS).map((dtype, rank) => [dtype, rank]));

const READABLE: ReadonlySet<Dtype> = new Set(["F64", "F32", "F16", "BF16", "I64", "I32", "U8", "BOOL"]);

/** Whether `name` is a type of the format. */
export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(BITS, name);
}

/**
 * Whether the bytes of a tensor of this type may be read. The headers of the others are checked by the same rules,
 * so that a checkpoint with, say, an unused I16 buffer opens; reading that buffer is refused by name.
 */
export function isReadable(dtype: Dtype): boolean {
  return READABLE.has(dtype);
}

/** Position of a type in the reference's order; the writer puts higher ranks first. */
export function dtypeRank(dtype: Dtype): number {
  return RANK.get(dtype) ?? -1;
}

/**
 * Bytes that a dense tensor occupies; undefined where the number isn't a whole number of bytes (types below 8 bits)
 * or a product on the way exceeds 2^53, beyond which a JavaScript number can't count bytes.
 */
export function tensorByteLength(dtype: Dtype, shape: readonly number[]): number | undefined {
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (!Number.isSafeInteger(elements)) return undefined;
  }
  const bytes = (elements * BITS[dtype]) / 8;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
