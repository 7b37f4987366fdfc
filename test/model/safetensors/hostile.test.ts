/** @file Headers made to harm: whatever the bytes, an InputError or a header that keeps every rule, and quickly. */
import { open, writeFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/errors.ts";
import { headerByteLength, openCheckpoint, parseHeader } from "../../../src/model/safetensors/index.ts";
import { entry, expectInputError, fileOf, temporaryFolder } from "./support.ts";

const BYTES: Record<string, bigint> = {
  F64: 8n,
  I64: 8n,
  F32: 4n,
  I32: 4n,
  F16: 2n,
  BF16: 2n,
  U8: 1n,
  BOOL: 1n,
};

/** Parses; an InputError counts as refused, anything else fails the test. Checks what was accepted in BigInt. */
function outcome(bytes: Uint8Array): "accepted" | "refused" {
  try {
    expect(headerByteLength(bytes, bytes.byteLength, "f")).toBeLessThanOrEqual(bytes.byteLength);
    const { tensors } = parseHeader(bytes, bytes.byteLength, "f");
    let filled = headerByteLength(bytes, bytes.byteLength, "f");
    for (const [name, info] of tensors) {
      expect(info.name).toBe(name);
      expect(info.begin).toBe(filled);
      const width = BYTES[info.dtype];
      if (width !== undefined) {
        const elements = info.shape.reduce((product, size) => product * BigInt(size), 1n);
        expect(BigInt(info.end - info.begin)).toBe(elements * width);
      }
      filled = info.end;
    }
    expect(filled).toBe(bytes.byteLength);
    return "accepted";
  } catch (error) {
    if (error instanceof InputError) return "refused";
    throw error;
  }
}

const name = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("__proto__", "constructor", "__metadata__", "a", "0", "1"),
);
const nasty = fc.constantFrom(
  ...[
    "-1",
    "1.5",
    "1e3",
    "-0",
    "null",
    "true",
    "[]",
    "{}",
    '"1"',
    "00",
    `${2 ** 53}`,
    "1e400",
    "9".repeat(40),
  ],
);
const size = fc.oneof({ weight: 9, arbitrary: fc.nat(5).map(String) }, { weight: 1, arbitrary: nasty });
const anyEntry = fc
  .record({
    dtype: fc.constantFrom(...Object.keys(BYTES), "F8_E4M3", "F4", "X", "__proto__"),
    shape: fc.array(size, { maxLength: 4 }),
    offsets: fc.array(size, { minLength: 1, maxLength: 3 }),
  })
  .map((e) => `{"dtype":"${e.dtype}","shape":[${e.shape}],"data_offsets":[${e.offsets}]}`);
const anyHeader = fc
  .array(fc.tuple(name, fc.oneof(anyEntry, nasty)), { maxLength: 4 })
  .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`);

const VALID = fileOf(
  `{"__metadata__":{"format":"pt"},"a":${entry("F32", [2, 1], 0, 8)},"b":${entry("U8", [3], 8, 11)}} `,
  11,
);

describe("a hostile file", () => {
  it("of random bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void outcome(bytes)));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(9), (json, n) => void outcome(fileOf(json, n))),
    );
  });

  it("of plausible entries with nasty values", () => {
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(anyHeader, fc.nat(12), (json, n) => void seen[outcome(fileOf(json, n))]++),
      { numRuns: 2000 },
    );
    expect(seen.accepted).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });

  it("that is a valid one with some bytes changed", () => {
    expect(outcome(VALID)).toBe("accepted");
    const edit = fc.tuple(fc.nat(VALID.byteLength - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const bytes = VALID.slice();
        for (const [at, value] of edits) bytes[at] = value;
        outcome(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it("that is a valid one cut short or prolonged", () => {
    for (let length = 0; length < VALID.byteLength; length++) {
      expect(outcome(VALID.slice(0, length))).toBe("refused");
    }
    expect(outcome(new Uint8Array([...VALID, 0]))).toBe("refused");
  });

  it.each([
    ["nested objects", '{"a":'.repeat(400_000)],
    ["nested lists", `{"x":{"dtype":"U8","shape":${"[".repeat(2_000_000)}`],
    ["a name of megabytes", `{"${"\\u0041".repeat(400_000)}`],
    ["a number of megabytes", `{"x":{"shape":[${"9".repeat(2_000_000)}]}}`],
    ["a shape of megabytes", `{"x":{"shape":[${"1,".repeat(1_000_000)}`],
    ["only spaces", `{${" ".repeat(2_000_000)}`],
    ["the same name again and again", `{${'"a":{"shape":[]},'.repeat(100_000)}`],
  ])("with %s ends quickly", (_, json) => {
    const bytes = fileOf(json);
    const begin = performance.now();
    expect(outcome(bytes)).toBe("refused");
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  it("with a hundred thousand tensors is read in linear time", () => {
    const members = Array.from({ length: 100_000 }, (_, i) => `"${i}":${entry("U8", [0], 0, 0)}`);
    const bytes = fileOf(`{${members}}`);
    const begin = performance.now();
    expect(parseHeader(bytes, bytes.byteLength, "f").tensors.size).toBe(100_000);
    expect(performance.now() - begin).toBeLessThan(5000);
  });
});

describe("memory", () => {
  const path = temporaryFolder();

  it("isn't taken for a header that the file doesn't hold, nor for tensors that nobody reads", async () => {
    const liar = new Uint8Array(new BigUint64Array([99_999_999n]).buffer);
    await writeFile(path("liar.safetensors"), liar);
    const json = `{"x":${entry("U8", [2 ** 34], 0, 2 ** 34)}}`;
    await writeFile(path("cut.safetensors"), fileOf(json));
    const sparse = await open(path("sparse.safetensors"), "w");
    await sparse.write(fileOf(json));
    await sparse.truncate(8 + json.length + 2 ** 29);
    await sparse.close();
    const before = process.memoryUsage().arrayBuffers;
    for (const file of ["liar", "cut", "sparse"]) {
      await expectInputError(
        () => openCheckpoint(path(`${file}.safetensors`)),
        `${file}.safetensors`,
        "cut short",
      );
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });
});
