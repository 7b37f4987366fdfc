/** @file The cache's files: rows come back with their bits or not at all, whatever happened to the files. */
import { mkdirSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/errors.ts";
import { prepareCacheFolder } from "../../../src/train/feature-cache/folder.ts";
import { headerBytes, recordBytes } from "../../../src/train/feature-cache/segment.ts";
import { temporaryFolder } from "../../model/tiny-model.ts";
import { bytesIn, fill, opened, readBack } from "./given-rows.ts";
import { rowsOf, space, width } from "./numbered-rows.ts";

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);
const size = recordBytes(space("a"));

const segments = (dir: string) => readdirSync(dir).filter((name) => name.endsWith(".rows"));
const onlySegment = (dir: string) => {
  const [name = expect.fail("no segment"), ...others] = segments(dir);
  expect(others).toEqual([]);
  return join(dir, name);
};

describe("rows come back", () => {
  it("those that are wanted, to their own space only, NaN and infinity with their bits", async () => {
    const dir = temporaryFolder();
    await fill({ dir }, upTo(30));
    expect(await readBack({ dir }, [40, 3, 29, 17])).toEqual({ found: [3, 17, 29], notes: [] });
    expect((await readBack({ dir, digit: "b" }, upTo(30))).found).toEqual([]);
    expect(await bytesIn(dir)).toBe(headerBytes + 30 * size);

    const odd = Uint32Array.of(0x7fc0_1234, 0xff80_0000, 0x7f80_0000, 0x8000_0000, 1);
    const cache = opened({ dir });
    await cache.add({ keys: ["0123456789abcdef"], values: new Float32Array(odd.buffer) });
    await cache.close();
    let bits: Uint32Array | undefined;
    await cache.read(new Set(["0123456789abcdef"]), async ({ values }) => {
      bits = new Uint32Array(values.buffer, values.byteOffset, width);
    });
    expect(bits).toEqual(odd);
  });

  it("from several runs, each of which adds only what was missing", async () => {
    const dir = temporaryFolder();
    await fill({ dir }, upTo(20));
    expect((await fill({ dir }, upTo(50))).found).toEqual(upTo(20));
    expect((await fill({ dir }, upTo(50))).found).toEqual(upTo(50));
    expect(await bytesIn(dir)).toBe(2 * headerBytes + 50 * size);
  });

  it("to two writers at once, whose rows are all there afterwards", async () => {
    const dir = temporaryFolder();
    await Promise.all([fill({ dir }, upTo(200)), fill({ dir }, upTo(300))]);
    expect(await readBack({ dir }, upTo(300))).toEqual({ found: upTo(300), notes: [] });
  });
});

describe("damage", () => {
  const rows = upTo(12);
  const whole = headerBytes + rows.length * size;

  /** The file after the damage gives a part of its rows; the next run rebuilds the rest, and then all is well. */
  async function survives(damage: (path: string) => void): Promise<ReturnType<typeof readBack>> {
    const dir = temporaryFolder();
    await fill({ dir }, rows);
    damage(onlySegment(dir));
    const seen = await fill({ dir }, rows);
    expect(await readBack({ dir }, rows)).toEqual({ found: rows, notes: [] });
    return seen;
  }

  it("a flipped bit anywhere: one row is rebuilt, or all where it is in the header, with a note", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * whole - 1), async (bit) => {
        const { found, notes } = await survives((path) => {
          const bytes = readFileSync(path);
          bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          writeFileSync(path, bytes);
        });
        expect(found.length).toBe(bit >> 3 < headerBytes ? 0 : rows.length - 1);
        expect(notes).toEqual([expect.stringMatching(/^feature cache: 1 damaged places in .* are rebuilt$/)]);
      }),
      { numRuns: 30 },
    );
  });

  it("cut anywhere: the rows before the cut stay", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole - 1), async (length) => {
        const { found, notes } = await survives((path) => truncateSync(path, length));
        const left = Math.max(0, Math.floor((length - headerBytes) / size));
        expect(found.length).toBe(left);
        expect(notes.length).toBe(length >= headerBytes && (length - headerBytes) % size === 0 ? 0 : 1);
      }),
      { numRuns: 20 },
    );
  });

  it("garbage over any part, bytes put in or taken out: never a wrong row", async () => {
    const edit = fc.record({
      at: fc.nat(whole),
      remove: fc.nat(3 * size),
      insert: fc.uint8Array({ maxLength: 3 * size }),
    });
    await fc.assert(
      fc.asyncProperty(edit, async ({ at, remove, insert }) => {
        await survives((path) => {
          const bytes = readFileSync(path);
          writeFileSync(path, Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]));
        });
      }),
      { numRuns: 30 },
    );
  });

  it("another version, another width, a row of another space: not used", async () => {
    for (const at of [16, 20]) {
      const { found } = await survives((path) => {
        const bytes = readFileSync(path);
        bytes.writeUInt32LE(9, at);
        writeFileSync(path, bytes);
      });
      expect(found).toEqual([]);
    }
    const other = temporaryFolder();
    await fill({ dir: other, digit: "b" }, rows);
    const foreign = readFileSync(onlySegment(other)).subarray(headerBytes);
    const { found } = await survives((path) =>
      writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, headerBytes), foreign])),
    );
    expect(found).toEqual([]);
  });

  it("a segment that a killed process left: its whole rows are used, its end is no damage", async () => {
    const dir = temporaryFolder();
    await fill({ dir }, rows);
    const bytes = readFileSync(onlySegment(dir));
    const torn = Buffer.concat([bytes.subarray(0, headerBytes + 5 * size + 9), Buffer.alloc(4 * size)]);
    const left = temporaryFolder();
    writeFileSync(join(left, `${"a".repeat(32)}-${"0".repeat(12)}.part`), torn);
    expect(await readBack({ dir: left }, rows)).toEqual({ found: upTo(5), notes: [] });
  });

  it("a file that can't be read: a note, and the run goes on", async () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, `${"a".repeat(32)}-${"0".repeat(12)}.rows`));
    const { found, notes } = await fill({ dir }, rows);
    expect(found).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/can't be read .*EISDIR.*; the run goes on without/)]);
  });

  it("a folder that is gone while rows are added: one note, and the run goes on", async () => {
    const notes: string[] = [];
    const cache = opened({ dir: join(temporaryFolder(), "gone") }, notes);
    await cache.add(rowsOf([1]));
    await cache.add(rowsOf([2]));
    await cache.close();
    expect(notes).toEqual([
      expect.stringMatching(/gone can't be written to \(ENOENT.*; the run goes on without/),
    ]);
  });
});

describe("--cache-limit", () => {
  it("is never exceeded, whoever writes and however much", async () => {
    const run = fc.record({
      digit: fc.constantFrom("a", "b", "c"),
      limit: fc.integer({ min: 1, max: 60 * size }),
      count: fc.integer({ min: 1, max: 80 }),
      from: fc.nat(50),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(run, { maxLength: 5 }), async (runs) => {
        const dir = temporaryFolder();
        for (const { digit, limit, count, from } of runs) {
          const numbers = upTo(count).map((n) => n + from);
          const place = { dir, limit, digit };
          await Promise.all([fill(place, numbers), fill({ ...place, digit: "d" }, numbers)]);
          expect(await bytesIn(dir)).toBeLessThanOrEqual(limit);
        }
      }),
      { numRuns: 15 },
    );
  });

  it("drops whole files, what was used longest ago first; a run's own stay", async () => {
    const dir = temporaryFolder();
    const room = 3 * (headerBytes + 10 * size) + 3 * headerBytes; // a run's files are quarters of the limit
    const hours = (digit: string, ago: number) => {
      const then = new Date(Date.now() - ago * 3600e3);
      for (const name of segments(dir)) if (name.startsWith(digit)) utimesSync(join(dir, name), then, then);
    };
    for (const digit of ["a", "b", "c"]) await fill({ dir, digit }, upTo(10));
    hours("a", 3);
    hours("b", 2);
    hours("c", 1);
    expect((await readBack({ dir, digit: "a" }, upTo(10))).found).toEqual(upTo(10)); // used now
    await fill({ dir, digit: "d", limit: room }, upTo(10));
    const left = async (digit: string) => (await readBack({ dir, digit }, upTo(10))).found.length;
    expect([await left("a"), await left("b"), await left("c"), await left("d")]).toEqual([10, 0, 10, 10]);
  });

  it("too small for a run's rows: what fits is kept, the rest is counted in a note, and stays usable", async () => {
    const dir = temporaryFolder();
    const place = { dir, limit: 5 * (headerBytes + 5 * size) };
    const { notes } = await fill(place, upTo(100));
    const { found } = await readBack(place, upTo(100));
    expect(found.length).toBeGreaterThan(15);
    expect(notes).toEqual([
      `feature cache: ${100 - found.length} rows found no room below --cache-limit and were not kept`,
    ]);
    expect((await readBack(place, upTo(100))).found).toEqual(found);
  });

  it("other files in the folder are neither counted nor touched", async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, "notes.txt"), "x".repeat(1000));
    mkdirSync(join(dir, "runs"));
    await fill({ dir, limit: headerBytes + size }, [1]);
    await fill({ dir, limit: headerBytes + size, digit: "b" }, [1]);
    expect(readdirSync(dir).filter((name) => !name.endsWith(".rows"))).toEqual(["notes.txt", "runs"]);
  });
});

it("a folder that cannot be used is refused as bad input", async () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  await expect(prepareCacheFolder(file)).rejects.toThrow(InputError);
  await expect(prepareCacheFolder(join(file, "below"))).rejects.toThrow(/--feature-cache .* cannot be used/);
});
