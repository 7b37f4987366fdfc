/** @file Number conversions, over every 16-bit pattern. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Dtype,
  f32ToBf16,
  f32ToF16,
  fromFloat32,
  toFloat32,
  toFloat64,
} from "../../../src/model/safetensors/index.ts";
import { expectInputError } from "./support.ts";

const PATTERNS = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** A 16-bit float's value by the definition of IEEE 754, from its field widths. */
function floatValue(bits: number, exponentBits: number): number {
  const mantissaBits = 15 - exponentBits;
  const mantissa = (bits & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  const exponent = (bits >> mantissaBits) & (2 ** exponentBits - 1);
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 2 ** exponentBits - 1) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * mantissa * 2 ** (1 - bias) : sign * (1 + mantissa) * 2 ** (exponent - bias);
}

function nextUp(value: number): number {
  const bits = new Uint32Array([new Uint32Array(new Float32Array([value]).buffer)[0]! + 1]);
  return new Float32Array(bits.buffer)[0]!;
}

function nextDown(value: number): number {
  const bits = new Uint32Array([new Uint32Array(new Float32Array([value]).buffer)[0]! - 1]);
  return new Float32Array(bits.buffer)[0]!;
}

const FORMATS: { dtype: Dtype; exponentBits: number; narrow: (values: Float32Array) => Uint16Array }[] = [
  { dtype: "F16", exponentBits: 5, narrow: f32ToF16 },
  { dtype: "BF16", exponentBits: 8, narrow: f32ToBf16 },
];

describe.each(FORMATS)("$dtype", ({ dtype, exponentBits, narrow }) => {
  const wide = toFloat32(new Uint8Array(PATTERNS.buffer), dtype);
  const infinity = (2 ** exponentBits - 1) << (15 - exponentBits);

  it("widens every pattern to its value", () => {
    const wrong = PATTERNS.filter((bits) => !Object.is(wide[bits], floatValue(bits, exponentBits)));
    expect([...wrong]).toEqual([]);
  });

  it("narrows every value back to its pattern, and NaN to NaN of the same sign", () => {
    const back = narrow(wide);
    const wrong = PATTERNS.filter((bits) => {
      const isNaN16 = (bits & 0x7fff) > infinity;
      const found = back[bits]!;
      return isNaN16 ? (found & 0x7fff) <= infinity || found >> 15 !== bits >> 15 : found !== bits;
    });
    expect([...wrong]).toEqual([]);
  });

  it("rounds to nearest, and halfway to even, between all neighbours up to Inf", () => {
    const wrong: number[] = [];
    for (let low = 0; low < infinity; low++) {
      const step = floatValue(low, exponentBits) - (low > 0 ? floatValue(low - 1, exponentBits) : 0);
      const high =
        low + 1 < infinity ? floatValue(low + 1, exponentBits) : floatValue(low, exponentBits) + step;
      const middle = (floatValue(low, exponentBits) + high) / 2;
      // Below bf16's smallest subnormals, a middle and its neighbours are float32 subnormals: still exact.
      const around = new Float32Array([nextDown(middle), middle, nextUp(middle)]);
      const negated = around.map((value) => -value);
      const even = low % 2 === 0 ? low : low + 1;
      const expected = [low, even, low + 1];
      const found = [...narrow(around), ...narrow(negated)];
      if ([...expected, ...expected.map((bits) => bits | 0x8000)].some((bits, i) => bits !== found[i]))
        wrong.push(low);
    }
    expect(wrong).toEqual([]);
  });

  it("keeps NaN whose payload lies only in the bits that are cut", () => {
    const values = new Float32Array(new Uint32Array([0x7f800001, 0xff800001]).buffer);
    expect([...toFloat32(new Uint8Array(narrow(values).slice().buffer), dtype)]).toEqual([
      Number.NaN,
      Number.NaN,
    ]);
  });
});

it("widens and saves each float type, from bytes at any offset", () => {
  const values = new Float32Array([0, -0, 1.5, -2, 65504, Number.POSITIVE_INFINITY, Number.NaN]);
  for (const dtype of ["F64", "F32", "F16", "BF16"] as const) {
    const bytes = fromFloat32(values, dtype);
    const shifted = new Uint8Array(bytes.byteLength + 1);
    shifted.set(bytes, 1);
    const expected = dtype === "BF16" ? values.map((v) => (v === 65504 ? 65536 : v)) : values;
    expect(toFloat32(shifted.subarray(1), dtype)).toEqual(expected);
    expect(toFloat64(shifted.subarray(1), dtype)).toEqual(Float64Array.from(expected));
  }
});

it("reads F64 exactly as float64 and rounded as float32", () => {
  fc.assert(
    fc.property(fc.float64Array(), (values) => {
      const bytes = new Uint8Array(values.slice().buffer);
      expect(toFloat64(bytes, "F64")).toEqual(values);
      expect(toFloat32(bytes, "F64")).toEqual(Float32Array.from(values));
    }),
  );
});

it("reads integers, and refuses those that a number can't hold", async () => {
  const wide = (values: bigint[]) => new Uint8Array(BigInt64Array.from(values).buffer);
  expect([...toFloat64(wide([-(2n ** 53n) + 1n, 0n, 7n]), "I64")]).toEqual([-(2 ** 53) + 1, 0, 7]);
  expect([...toFloat64(new Uint8Array(new Int32Array([-5, 2 ** 31 - 1]).buffer), "I32")]).toEqual([
    -5,
    2 ** 31 - 1,
  ]);
  expect([...toFloat32(new Uint8Array([0, 1, 255]), "U8")]).toEqual([0, 1, 255]);
  await expectInputError(() => toFloat64(wide([2n ** 53n]), "I64"), "9007199254740992");
});

it("refuses types that aren't read and bytes that are no whole elements", async () => {
  await expectInputError(() => toFloat32(new Uint8Array(2), "I16"), "I16");
  await expectInputError(() => fromFloat32(new Float32Array(1), "I32"), "I32");
  await expectInputError(() => toFloat32(new Uint8Array(3), "F16"), "3 bytes");
});
