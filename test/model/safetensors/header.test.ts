/** @file Each rule of the header, kept and broken. */
import { describe, expect, it } from "vitest";
import { headerByteLength, parseHeader } from "../../../src/model/safetensors/index.ts";
import { entry, expectInputError, fileOf } from "./support.ts";

const FILE = "folder/model.safetensors";

function parse(header: string | Uint8Array, dataBytes = 0) {
  const bytes = fileOf(header, dataBytes);
  return parseHeader(bytes, bytes.byteLength, FILE);
}

describe("a valid header", () => {
  it("gives absolute byte ranges, in the order of the bytes, and the metadata", () => {
    const json = `{"b":${entry("F32", [2, 3], 4, 28)},"__metadata__":{"format":"pt"},"a":${entry("F16", [2], 0, 4)}}`;
    const begin = 8 + json.length;
    const { tensors, metadata } = parse(json, 28);
    expect([...tensors.values()]).toEqual([
      { name: "a", dtype: "F16", shape: [2], file: FILE, begin, end: begin + 4 },
      { name: "b", dtype: "F32", shape: [2, 3], file: FILE, begin: begin + 4, end: begin + 28 },
    ]);
    expect(metadata).toEqual({ format: "pt" });
  });

  it("may be padded, spaced out, empty, and have scalars and tensors without elements", () => {
    expect(parse("{}").tensors.size).toBe(0);
    expect(parse(` {}`.slice(1).padEnd(40, " ")).metadata).toEqual({});
    const spaced = `{ "s" : { "shape" : [ ] , "dtype" : "F64" ,\n\t"data_offsets" : [ 0 , 8 ] } }\r\n `;
    expect(parse(spaced, 8).tensors.get("s")?.shape).toEqual([]);
    const empty = `{"e":${entry("F32", [0, 5], 4, 4)},"f":${entry("F32", [0], 0, 0)},"x":${entry("F32", [1], 0, 4)}}`;
    expect([...parse(empty, 4).tensors.keys()]).toEqual(["f", "x", "e"]);
    const late = `{"x":${entry("F32", [1], 0, 4)},"f":${entry("F32", [0], 0, 0)}}`;
    expect([...parse(late, 4).tensors.keys()]).toEqual(["f", "x"]);
  });

  it("may name a tensor or a metadata key like a property of every object", () => {
    const json = `{"__proto__":${entry("U8", [1], 0, 1)},"constructor":${entry("U8", [1], 1, 2)},"__metadata__":{"__proto__":"x"}}`;
    const { tensors, metadata } = parse(json, 2);
    expect([...tensors.keys()]).toEqual(["__proto__", "constructor"]);
    expect(Object.entries(metadata)).toEqual([["__proto__", "x"]]);
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
  });

  it("resolves escapes in names", () => {
    const { tensors } = parse(`{"a\\"\\u00e9\\ud83d\\ude00\\\\":${entry("BOOL", [1], 0, 1)}}`, 1);
    expect([...tensors.keys()]).toEqual(['a"é😀\\']);
  });

  it("may use every type of the format", () => {
    const bits = {
      ...{ BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, I16: 16, U16: 16, F16: 16, BF16: 16 },
      ...{ I32: 32, U32: 32, F32: 32, F64: 64, I64: 64, U64: 64, C64: 64, F4: 4, F6_E2M3: 6, F6_E3M2: 6 },
    };
    for (const [dtype, size] of Object.entries(bits)) {
      expect(parse(`{"x":${entry(dtype, [4], 0, size / 2)}}`, size / 2).tensors.get("x")?.dtype).toBe(dtype);
    }
  });

  it("is read from a view that starts at an odd byte", () => {
    const bytes = fileOf(`{"x":${entry("U8", [3], 0, 3)}}`, 3);
    const shifted = new Uint8Array(bytes.byteLength + 1);
    shifted.set(bytes, 1);
    expect(parseHeader(shifted.subarray(1), bytes.byteLength, FILE).tensors.has("x")).toBe(true);
  });

  it("places tensors beyond 4 GiB", () => {
    const big = 2 ** 40;
    const json = `{"a":${entry("U8", [big], 0, big)},"b":${entry("F32", [2], big, big + 8)}}`;
    const { tensors } = parseHeader(fileOf(json), 8 + json.length + big + 8, FILE);
    expect(tensors.get("b")).toMatchObject({ begin: 8 + json.length + big, end: 8 + json.length + big + 8 });
  });
});

describe("the length prefix", () => {
  const prefix = (length: bigint) => new Uint8Array(new BigUint64Array([length]).buffer);
  it.each([
    ["too small a file", () => headerByteLength(new Uint8Array(7), 7, FILE), "7 bytes are too few"],
    ["an empty file", () => headerByteLength(new Uint8Array(0), 0, FILE), "0 bytes are too few"],
    ["a header longer than the file", () => headerByteLength(prefix(100n), 107, FILE), "cut short"],
    ["a header above the cap", () => headerByteLength(prefix(100_000_001n), 2 ** 40, FILE), "above the cap"],
    ["a length of 64 bits", () => headerByteLength(prefix(2n ** 64n - 1n), 2 ** 40, FILE), "above the cap"],
    ["a file above 2^53 bytes", () => headerByteLength(prefix(2n), 2 ** 53, FILE), "2^53"],
    ["too few bytes given", () => parseHeader(prefix(2n), 10, FILE), "8 bytes of its header were given"],
  ])("refuses %s", (_, action, part) => expectInputError(action, FILE, part));

  it("may be the cap itself, and is what a reader must fetch", () => {
    expect(headerByteLength(prefix(100_000_000n), 2 ** 40, FILE)).toBe(100_000_008);
  });
});

const x = (dtype: string, shape: string, offsets: string) =>
  `{"x":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}}`;
const ab = (a: string, b: string) => `{"a":${a},"b":${b}}`;

/** What is broken | the header | bytes of data | what the message must say. */
const BROKEN: [string, string | Uint8Array, number, ...string[]][] = [
  ["bytes that aren't UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), 0, "UTF-8"],
  ["a byte order mark", "\ufeff{}", 0, 'begin with "{"'],
  ["a space before the object", " {}", 0, 'begin with "{"'],
  ["an empty header", "", 0, 'begin with "{"'],
  ["a list", "[]", 0, 'begin with "{"'],
  ["an object without end", "{", 0, "the header ends"],
  ["a string without end", '{"x', 0, "has no end"],
  ["a string that ends in a backslash", '{"x\\', 0, "has no end"],
  ["a bad escape", '{"\\q":{}}', 0, "isn't valid JSON"],
  ["a control character", '{"a\nb":{}}', 0, "isn't valid JSON"],
  ["a lone surrogate", '{"\\ud800":{}}', 0, "isn't valid JSON"],
  ["text after the object", "{} x", 0, "goes on after"],
  ["zeros as padding", "{}\0\0", 0, "goes on after"],
  ["a comma too many", `{"x":${entry("U8", [1], 0, 1)},}`, 1, "the header"],
  ["a number in the metadata", '{"__metadata__":{"step":1}}', 0, "__metadata__", '"step"'],
  ["metadata that is no object", '{"__metadata__":null}', 0, "__metadata__"],
  ["a metadata key twice", '{"__metadata__":{"k":"1","k":"2"}}', 0, '"k" twice'],
  ["the metadata twice", '{"__metadata__":{},"__metadata__":{}}', 0, '"__metadata__" twice'],
  ["a tensor twice", `{"x":${entry("U8", [1], 0, 1)},"x":${entry("U8", [1], 0, 1)}}`, 1, '"x" twice'],
  [
    "a tensor twice, once escaped",
    `{"x":${entry("U8", [1], 0, 1)},"\\u0078":${entry("U8", [1], 0, 1)}}`,
    1,
    '"x" twice',
  ],
  ["a tensor that is no object", '{"x":[]}', 0, 'tensor "x"'],
  ["no dtype", '{"x":{"shape":[],"data_offsets":[0,0]}}', 0, 'tensor "x" has no dtype'],
  ["no shape", '{"x":{"dtype":"U8","data_offsets":[0,0]}}', 0, 'tensor "x" has no shape'],
  ["no offsets", '{"x":{"dtype":"U8","shape":[]}}', 0, 'tensor "x" has no data_offsets'],
  ["a key of a tensor twice", '{"x":{"dtype":"U8","dtype":"U8"}}', 0, 'tensor "x" has "dtype" twice'],
  ["an unknown key", '{"x":{"strides":[1]}}', 0, 'tensor "x" has the unknown key "strides"'],
  ["an unknown dtype", x("F31", "[1]", "[0,4]"), 4, 'tensor "x" has the unknown dtype "F31"'],
  ["an inherited name as dtype", x("toString", "[1]", "[0,4]"), 4, 'unknown dtype "toString"'],
  ["a dtype in lower case", x("f32", "[1]", "[0,4]"), 4, 'unknown dtype "f32"'],
  ["a dtype that is no string", '{"x":{"dtype":8}}', 0, 'tensor "x", dtype'],
  ["a negative size", x("U8", "[-1]", "[0,1]"), 1, 'tensor "x", shape', "non-negative"],
  ["two negative sizes", x("U8", "[-1,-1]", "[0,1]"), 1, 'tensor "x", shape', "non-negative"],
  ["a fractional size", x("U8", "[1.5]", "[0,1]"), 1, 'tensor "x", shape', "integers"],
  ["a size with an exponent", x("U8", "[1e0]", "[0,1]"), 1, 'tensor "x", shape', "integers"],
  ["a size with a leading zero", x("U8", "[01]", "[0,1]"), 1, 'tensor "x", shape', "integers"],
  ["a size that is a string", x("U8", '["1"]', "[0,1]"), 1, 'tensor "x", shape', "integers"],
  ["a nested shape", x("U8", "[[1]]", "[0,1]"), 1, 'tensor "x", shape', "integers"],
  ["a size of 2^53", x("U8", `[${2 ** 53}]`, "[0,1]"), 1, 'tensor "x", shape', "2^53"],
  ["a size that a float rounds", x("U8", "[18446744073709551617]", "[0,1]"), 1, 'tensor "x", shape', "2^53"],
  ["a product that overflows", x("U8", "[4294967296,4294967296]", "[0,0]"), 0, 'tensor "x"', "2^53"],
  [
    "a product that overflows before a 0",
    x("U8", "[4294967296,4294967296,0]", "[0,0]"),
    0,
    'tensor "x"',
    "2^53",
  ],
  ["bytes that overflow", x("F64", `[${2 ** 52}]`, "[0,0]"), 0, 'tensor "x"', "2^53"],
  ["no whole number of bytes", x("F4", "[3]", "[0,1]"), 1, 'tensor "x"', "whole number"],
  ["one offset", x("U8", "[1]", "[0]"), 1, 'tensor "x" has 1 data_offsets'],
  ["three offsets", x("U8", "[1]", "[0,1,1]"), 1, 'tensor "x" has 3 data_offsets'],
  ["a negative offset", x("U8", "[1]", "[-1,0]"), 1, 'tensor "x", data_offsets'],
  ["offsets in the wrong order", x("U8", "[1]", "[1,0]"), 1, 'tensor "x" begins at 1, after its end at 0'],
  ["fewer bytes than the shape needs", x("F32", "[2]", "[0,4]"), 4, 'tensor "x" has 4 bytes', "needs 8"],
  ["more bytes than the shape needs", x("F32", "[2]", "[0,12]"), 12, 'tensor "x" has 12 bytes', "needs 8"],
  ["a hole at the start", x("U8", "[1]", "[1,2]"), 2, '1 bytes between the header and tensor "x"'],
  [
    "a hole",
    ab(entry("U8", [1], 0, 1), entry("U8", [1], 3, 4)),
    4,
    '2 bytes between tensor "a" and tensor "b"',
  ],
  [
    "an overlap",
    ab(entry("U8", [4], 0, 4), entry("U8", [3], 2, 5)),
    5,
    'tensor "b" overlaps tensor "a" by 2 bytes',
  ],
  [
    "the same bytes twice",
    ab(entry("U8", [4], 0, 4), entry("U8", [4], 0, 4)),
    4,
    'tensor "b" overlaps tensor "a"',
  ],
  ["a file cut short", x("U8", "[9]", "[0,9]"), 8, 'tensor "x" ends', "cut short"],
  ["bytes after the last tensor", x("U8", "[1]", "[0,1]"), 3, '2 bytes after tensor "x"'],
  ["bytes without any tensor", "{}", 3, "3 bytes after the header"],
];

describe("a broken header", () => {
  it.each(BROKEN)("is refused: %s", (_, header, dataBytes, ...parts) =>
    expectInputError(() => parse(header, dataBytes), FILE, ...parts),
  );

  it("is reported in a short message even when its names and shapes are long", async () => {
    const header = x("U8", `[${"1,".repeat(50_000)}2]`, "[0,1]").replace('"x"', `"${"x".repeat(50_000)}"`);
    await expectInputError(() => parse(header, 1), "50001 sizes");
    expect(() => parse(header, 1)).toThrow(/^.{0,600}$/s);
  });
});
