/**
 * @file Conversions between stored bytes and JavaScript's numbers, for tensors small enough for the host: heads,
 * norms, goldens, and full weights on their way to a file. Large frozen weights go to the GPU as stored and never
 * pass here. Bytes are little-endian as the format says, and so is every platform that WebGPU runs on.
 */
import { InputError } from "../../errors.ts";
import type { Dtype } from "./dtype.ts";

/**
 * Stored values as float32. Widening F16 and BF16 is exact (Inf and NaN kept); F64 and integers round to nearest even.
 * @throws InputError for a type that isn't read, or an I64 beyond ±(2^53 - 1)
 */
export function toFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array<ArrayBuffer> {
  switch (dtype) {
    case "F32":
      return new Float32Array(aligned(bytes, 4));
    case "F16":
      return new Float32Array(f16ToF32Bits(new Uint16Array(aligned(bytes, 2))).buffer);
    case "BF16":
      return new Float32Array(
        Uint32Array.from(new Uint16Array(aligned(bytes, 2)), (bits) => bits << 16).buffer,
      );
    default:
      return Float32Array.from(toFloat64(bytes, dtype));
  }
}

/**
 * Stored values as float64: exact for every type read.
 * @throws InputError for a type that isn't read, or an I64 beyond ±(2^53 - 1)
 */
export function toFloat64(bytes: Uint8Array, dtype: Dtype): Float64Array<ArrayBuffer> {
  switch (dtype) {
    case "F64":
      return new Float64Array(aligned(bytes, 8));
    case "F32":
    case "F16":
    case "BF16":
      return Float64Array.from(toFloat32(bytes, dtype));
    case "I64":
      return Float64Array.from(new BigInt64Array(aligned(bytes, 8)), exactInteger);
    case "I32":
      return Float64Array.from(new Int32Array(aligned(bytes, 4)));
    case "U8":
    case "BOOL":
      return Float64Array.from(bytes);
    default:
      throw new InputError(
        `tensors of dtype ${dtype} aren't supported: export the checkpoint as F32, F16 or BF16`,
      );
  }
}

/**
 * Float32 values in a checkpoint's float type, rounded to nearest even.
 * @throws InputError for a type that isn't a float of 16 bits or more
 */
export function fromFloat32(values: Float32Array, dtype: Dtype): Uint8Array<ArrayBuffer> {
  switch (dtype) {
    case "F64":
      return new Uint8Array(Float64Array.from(values).buffer);
    case "F32":
      return new Uint8Array(Float32Array.from(values).buffer);
    case "F16":
      return new Uint8Array(f32ToF16(values).buffer);
    case "BF16":
      return new Uint8Array(f32ToBf16(values).buffer);
    default:
      throw new InputError(`weights can't be saved as ${dtype}: use F32, F16 or BF16`);
  }
}

/** bfloat16 bit patterns, rounded to nearest even. Overflow gives Inf; NaN stays NaN (quiet, sign kept). */
export function f32ToBf16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const source = bitsOf(values);
  const out = new Uint16Array(source.length);
  for (let i = 0; i < source.length; i++) {
    const bits = source[i]!;
    const isNotANumber = (bits & 0x7fffffff) > 0x7f800000;
    out[i] = isNotANumber ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
  return out;
}

/** IEEE half bit patterns, rounded to nearest even, with subnormals. |x| >= 65520 gives Inf; NaN stays NaN. */
export function f32ToF16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const source = bitsOf(values);
  const out = new Uint16Array(source.length);
  for (let i = 0; i < source.length; i++) {
    const bits = source[i]!;
    out[i] = ((bits >>> 16) & 0x8000) | halfMagnitude(bits & 0x7fffffff);
  }
  return out;
}

/** The half's 15 low bits from the float's 31 low bits. */
function halfMagnitude(bits: number): number {
  if (bits > 0x7f800000) return 0x7e00 | ((bits >>> 13) & 0x3ff);
  if (bits >= 0x47800000) return 0x7c00; // 2^16 and above
  if (bits >= 0x38800000) {
    // A normal half (2^-14 and above): move the exponent's bias from 127 to 15, round away 13 bits. A carry out of the
    // mantissa raises the exponent, up to Inf.
    const rebiased = bits - (112 << 23);
    return (rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13;
  }
  if (bits < 0x33000000) return 0; // below 2^-25, half of the smallest subnormal
  // A subnormal half counts units of 2^-24; the float's mantissa counts units of 2^(exponent - 150).
  const mantissa = (bits & 0x7fffff) | 0x800000;
  const shift = 126 - (bits >>> 23);
  const half = 1 << (shift - 1);
  const rest = mantissa & (2 * half - 1);
  const floor = mantissa >>> shift;
  return rest > half || (rest === half && floor % 2 === 1) ? floor + 1 : floor;
}

function f16ToF32Bits(halves: Uint16Array): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const exponent = (half >>> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    let magnitude: number;
    if (exponent === 0x1f) magnitude = 0x7f800000 | (mantissa << 13);
    else if (exponent > 0) magnitude = ((exponent + 112) << 23) | (mantissa << 13);
    else if (mantissa === 0) magnitude = 0;
    else {
      const leading = 31 - Math.clz32(mantissa); // the value is 1.xxx * 2^(leading - 24)
      magnitude = ((leading + 103) << 23) | ((mantissa << (23 - leading)) & 0x7fffff);
    }
    out[i] = ((half & 0x8000) << 16) | magnitude;
  }
  return out;
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** A copy of the bytes in a buffer of their own, where every typed array is aligned. */
function aligned(bytes: Uint8Array, elementBytes: number): ArrayBuffer {
  if (bytes.byteLength % elementBytes !== 0) {
    throw new InputError(`${bytes.byteLength} bytes are no whole number of ${elementBytes}-byte elements`);
  }
  return new Uint8Array(bytes).buffer;
}

function exactInteger(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new InputError(`the I64 value ${value} exceeds ±(2^53 - 1)`);
  return number;
}
