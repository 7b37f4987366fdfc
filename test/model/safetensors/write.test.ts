/** @file The writer: round trips, an independent reader, the reference's bytes, and failures that leave no trace. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import fc from "fast-check";
import safetensors from "safetensors";
import { describe, expect, it } from "vitest";
import { RmtrainError } from "../../../src/errors.ts";
import {
  type Dtype,
  openCheckpoint,
  parseHeader,
  type TensorSource,
  writeSafetensors,
} from "../../../src/model/safetensors/index.ts";
import { failureOf, temporaryFolder } from "./support.ts";

const path = temporaryFolder();
/** Bytes per element. */
const WIDTH = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1, BOOL: 1 } as const;

const tensors: fc.Arbitrary<(TensorSource & { dtype: keyof typeof WIDTH; bytes: Uint8Array })[]> =
  fc.uniqueArray(
    fc
      .record({
        name: fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__"),
        dtype: fc.constantFrom(...(Object.keys(WIDTH) as (keyof typeof WIDTH)[])),
        shape: fc.array(fc.nat(4), { maxLength: 3 }),
      })
      .chain(({ name, dtype, shape }) => {
        const length = shape.reduce((product, size) => product * size, WIDTH[dtype]);
        return fc
          .uint8Array({ minLength: length, maxLength: length })
          .map((bytes) => ({ name, dtype, shape, bytes, data: () => bytes }));
      }),
    { maxLength: 6, selector: ({ name }) => name },
  );

/** The same bytes in pieces, through one buffer that is overwritten as soon as the next piece is asked for. */
async function* pieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(length);
  for (let at = 0; at < bytes.byteLength; at += length) {
    const piece = bytes.subarray(at, at + length);
    buffer.set(piece);
    yield buffer.subarray(0, piece.byteLength);
    buffer.fill(0xee);
  }
}

describe("what is written", () => {
  it("is read back, by us and by an independent reader, and is the same file in any order or pieces", async () => {
    const [file, again] = [path("round.safetensors"), path("again.safetensors")];
    await fc.assert(
      fc.asyncProperty(tensors, fc.integer({ min: 1, max: 9 }), async (given, length) => {
        await writeSafetensors(file, given, null);
        const reversed = given.toReversed().map((t) => ({ ...t, data: () => pieces(t.bytes, length) }));
        await writeSafetensors(again, reversed, null);
        const bytes = await readFile(file);
        expect(bytes.equals(await readFile(again))).toBe(true);
        expect(bytes.readUInt32LE(0) % 8).toBe(0);

        await using checkpoint = await openCheckpoint(file);
        const other = new safetensors.SafeTensor(new Uint8Array(bytes));
        expect(checkpoint.tensors.size).toBe(given.length);
        for (const { name, dtype, shape, bytes: expected } of given) {
          const info = checkpoint.tensors.get(name) ?? expect.fail(`no tensor ${name}`);
          expect(info).toMatchObject({ name, dtype, shape });
          expect(await checkpoint.read(info)).toEqual(expected);
          expect(info.begin % WIDTH[dtype]).toBe(0);
          expect(other.metadata.get(name)).toMatchObject({
            dtype,
            shape,
            data_offsets: [info.begin, info.end],
          });
          expect(new Uint8Array(other.getTensor(name))).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("has the reference's layout", async () => {
    const one = (name: string, dtype: Dtype, bytes: number): TensorSource => {
      return { name, dtype, shape: [1], data: () => new Uint8Array(bytes).fill(bytes) };
    };
    const given = [one("b", "F16", 2), one("\uffee", "F32", 4), one("a", "F32", 4), one("😀", "F32", 4)];
    await writeSafetensors(path("layout.safetensors"), [...given, one("i", "I64", 8), one("n", "BF16", 2)]);
    const bytes = await readFile(path("layout.safetensors"));
    const json = bytes.subarray(8, 8 + bytes.readUInt32LE(0)).toString();
    expect(json.trimEnd()).toBe(
      '{"__metadata__":{"format":"pt"},"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
        '"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"\uffee":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},' +
        '"😀":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},"n":{"dtype":"BF16","shape":[1],"data_offsets":[20,22]},' +
        '"b":{"dtype":"F16","shape":[1],"data_offsets":[22,24]}}',
    );
    expect([...bytes.subarray(-24)]).toEqual([...Array(8).fill(8), ...Array(12).fill(4), 2, 2, 2, 2]);
  });

  it("keeps the metadata, in one order whatever the order given", async () => {
    await writeSafetensors(path("m1.safetensors"), [], { b: "2", a: 'ä"', c: "3" });
    await writeSafetensors(path("m2.safetensors"), [], { c: "3", a: 'ä"', b: "2" });
    const bytes = await readFile(path("m1.safetensors"));
    expect(bytes.equals(await readFile(path("m2.safetensors")))).toBe(true);
    expect(parseHeader(bytes, bytes.byteLength, "m1").metadata).toEqual({ a: 'ä"', b: "2", c: "3" });
  });
});

describe("what can't be written", () => {
  const good: TensorSource = { name: "good", dtype: "U8", shape: [3], data: () => new Uint8Array(3) };
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1);
    throw new Error("the producer broke");
  }
  const cases: [string, TensorSource[], string][] = [
    [
      "too few bytes",
      [good, { ...good, name: "x", data: () => new Uint8Array(2) }],
      'tensor "x" needs 3 bytes',
    ],
    [
      "too many bytes",
      [good, { ...good, name: "x", data: () => new Uint8Array(4) }],
      'tensor "x" needs 3 bytes',
    ],
    ["too few in pieces", [{ ...good, name: "x", data: () => pieces(new Uint8Array(2), 1) }], "gave 2"],
    ["too many in pieces", [{ ...good, name: "x", data: () => pieces(new Uint8Array(9), 2) }], "at least 4"],
    ["a producer that fails", [good, { ...good, name: "x", data: failing }], "the producer broke"],
    ["a name twice", [good, good], 'tensor "good" is given twice'],
    ["the reserved name", [{ ...good, name: "__metadata__" }], "reserves"],
    ["a name without UTF-8 form", [{ ...good, name: "\ud800" }], "no UTF-8 form"],
    ["a negative size", [{ ...good, name: "x", shape: [-3] }], 'tensor "x" can\'t have the shape [-3]'],
    ["a fractional size", [{ ...good, name: "x", shape: [1.5] }], 'tensor "x"'],
    ["a size beyond 2^53", [{ ...good, name: "x", shape: [2 ** 40, 2 ** 40] }], 'tensor "x"'],
    ["half a byte", [{ ...good, name: "x", dtype: "F4" }], 'tensor "x"'],
    ["files beyond 2^53", [2, 3].map((n) => ({ ...good, name: `${n}`, shape: [2 ** 53 - n] })), "several"],
  ];
  it.each(cases)("%s: the old file stays and nothing is left beside it", async (_, given, part) => {
    const file = path("kept.safetensors");
    await writeFile(file, "old");
    const before = await readdir(path());
    expect(String(await failureOf(() => writeSafetensors(file, given)))).toContain(part);
    expect(await readFile(file, "utf8")).toBe("old");
    expect(await readdir(path())).toEqual(before);
  });

  it("into a folder that isn't there", async () => {
    const error = await failureOf(() => writeSafetensors(path("no", "x.safetensors"), [good]));
    expect(error).toBeInstanceOf(RmtrainError);
    expect(String(error)).toContain("x.safetensors");
  });
});
