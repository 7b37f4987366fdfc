/**
 * @file 16-bit floats by arithmetic: widening their bits and rounding numbers to them, to nearest, ties to even.
 * f16 is IEEE 754 binary16; bf16 is the upper half of binary32.
 */

/** Value of bf16 bits. */
export function widenBf16(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
}

/** Value of f16 bits: sign, 5 bits of exponent (bias 15), 10 of mantissa. */
export function widenF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** The nearest number with `mantissaBits` after the leading one and exponents from `minExponent`. */
function roundTo(x: number, mantissaBits: number, minExponent: number, overflow: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const magnitude = Math.abs(x);
  // log2 may be off by a rounding at a power of two; the comparisons put it right.
  let exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) exponent--;
  if (2 ** (exponent + 1) <= magnitude) exponent++;
  const unit = 2 ** (Math.max(exponent, minExponent) - mantissaBits);
  const scaled = magnitude / unit;
  const low = Math.floor(scaled);
  const rest = scaled - low;
  const rounded = (rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low) * unit;
  return Math.sign(x) * (rounded >= overflow ? Number.POSITIVE_INFINITY : rounded);
}

/** The f16 number nearest to `x`. */
export function roundF16(x: number): number {
  return roundTo(x, 10, -14, 65_536);
}

/** The bf16 number nearest to `x`. */
export function roundBf16(x: number): number {
  return roundTo(x, 7, -126, 2 ** 128);
}

/** Bits of the f16 number nearest to `x`. */
export function f16Bits(x: number): number {
  const value = roundF16(x);
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | (magnitude * 2 ** 24);
  let exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) exponent--;
  return sign | ((exponent + 15) << 10) | (magnitude * 2 ** (10 - exponent) - 1024);
}

/** Bits of the bf16 number nearest to `x`. */
export function bf16Bits(x: number): number {
  return new Uint32Array(Float32Array.of(roundBf16(x)).buffer)[0]! >>> 16;
}
