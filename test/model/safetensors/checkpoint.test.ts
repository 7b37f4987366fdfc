/** @file Opening checkpoints on disk: one file, shards, what is refused, ranges, handles. */
import { mkdir, open, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { RmtrainError } from "../../../src/errors.ts";
import { openCheckpoint, type TensorInfo } from "../../../src/model/safetensors/index.ts";
import { entry, expectInputError, failureOf, fileOf, temporaryFolder } from "./support.ts";

const path = temporaryFolder();

/** Writes these files into a folder and returns its path. */
async function folder(name: string, files: Record<string, string | Uint8Array>): Promise<string> {
  await mkdir(path(name), { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(path(name, file), content);
  return path(name);
}

/** A shard with one-byte tensors of these names. */
function shard(...names: string[]): Uint8Array {
  const entries = names.map((name, i) => `${JSON.stringify(name)}:${entry("U8", [1], i, i + 1)}`);
  return fileOf(`{${entries.join(",")}}`, names.length);
}

const index = (weightMap: unknown) => JSON.stringify({ metadata: { total_size: 2 }, weight_map: weightMap });
const INDEX = "model.safetensors.index.json";

function tensor(tensors: ReadonlyMap<string, TensorInfo>, name: string): TensorInfo {
  return tensors.get(name) ?? expect.fail(`no tensor ${name}`);
}

describe("one file", () => {
  const bytes = fileOf(
    `{"__metadata__":{"format":"pt"},"a":${entry("I32", [25], 0, 100)},"b":${entry("I16", [1], 100, 102)},"c":${entry("F32", [0], 102, 102)}}`,
    102,
  );
  beforeAll(async () => {
    await folder("single", { "model.safetensors": bytes, "other.safetensors": bytes });
  });

  it("is found in a folder, or given itself", async () => {
    for (const [given, file] of [
      [path("single"), path("single", "model.safetensors")],
      [path("single", "other.safetensors"), path("single", "other.safetensors")],
    ] as const) {
      await using checkpoint = await openCheckpoint(given);
      expect(checkpoint.files).toEqual([file]);
      expect([...checkpoint.tensors.keys()]).toEqual(["a", "b", "c"]);
      expect(checkpoint.metadata).toEqual({ format: "pt" });
      expect(checkpoint.extra).toEqual([]);
    }
  });

  it("gives any range of a tensor in a buffer of its own, and chunks that join to the whole", async () => {
    await using checkpoint = await openCheckpoint(path("single"));
    const a = tensor(checkpoint.tensors, "a");
    const whole = await checkpoint.read(a);
    expect([...whole]).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(whole.buffer.byteLength).toBe(100);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(100),
        fc.nat(100),
        fc.integer({ min: 16, max: 120 }),
        async (i, j, maxBytes) => {
          const byteOffset = Math.min(i, j);
          const range = await checkpoint.read(a, { byteOffset, byteLength: Math.max(i, j) - byteOffset });
          expect([range.byteOffset, ...range]).toEqual([0, ...whole.subarray(byteOffset, Math.max(i, j))]);
          const joined: number[] = [];
          for await (const { offset, bytes: chunk } of checkpoint.chunks(a, maxBytes)) {
            expect(offset).toBe(joined.length);
            expect(chunk.byteLength).toBeLessThanOrEqual(maxBytes);
            joined.push(...chunk);
            if (joined.length < 100) expect(chunk.byteLength % 16).toBe(0);
          }
          expect(joined).toEqual([...whole]);
        },
      ),
      { numRuns: 50 },
    );
    expect(await checkpoint.read(tensor(checkpoint.tensors, "c"))).toHaveLength(0);
  });

  it("refuses ranges outside, tiny chunks, foreign tensors, unread types by name, and reads after close", async () => {
    const checkpoint = await openCheckpoint(path("single"));
    const a = tensor(checkpoint.tensors, "a");
    for (const [byteOffset, byteLength] of [
      [0, 101],
      [100, 1],
      [-1, 2],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
    ] as const) {
      const error = await failureOf(() => checkpoint.read(a, { byteOffset, byteLength }));
      expect(String(error)).toContain('tensor "a" has 100 bytes');
    }
    expect(await failureOf(() => checkpoint.chunks(a, 15)[Symbol.asyncIterator]().next())).toBeInstanceOf(
      RmtrainError,
    );
    expect(String(await failureOf(() => checkpoint.read({ ...a, file: "x" })))).toContain(
      "x: not a file of this",
    );
    await expectInputError(() => checkpoint.read(tensor(checkpoint.tensors, "b")), 'tensor "b"', "I16");
    await checkpoint.close();
    await checkpoint.close();
    expect(String(await failureOf(() => checkpoint.read(a)))).toContain("after the checkpoint was closed");
  });

  it("that shrinks or disappears while open is an error that names it", async () => {
    const name = path("single", "changing.safetensors");
    await writeFile(name, bytes);
    await using checkpoint = await openCheckpoint(name);
    const a = tensor(checkpoint.tensors, "a");
    await rename(name, `${name}.away`);
    await expectInputError(() => checkpoint.read(a), "can't read", "changing.safetensors");
    await rename(`${name}.away`, name);
    expect(await checkpoint.read(a)).toHaveLength(100); // a failed opening isn't remembered
    await truncate(name, bytes.byteLength - 50);
    await expectInputError(() => checkpoint.read(a), 'tensor "a"', "changed while in use");
  });
});

describe("shards", () => {
  const shards = { "1.safetensors": shard("a", "b"), "2.safetensors": shard("c") };

  it("are read as one checkpoint; a tensor that the index lacks is listed", async () => {
    const weightMap = { a: "1.safetensors", c: "2.safetensors" };
    await using checkpoint = await openCheckpoint(
      await folder("shards", { ...shards, [INDEX]: index(weightMap) }),
    );
    expect([...checkpoint.tensors.keys()]).toEqual(["a", "b", "c"]);
    expect(checkpoint.files).toEqual([path("shards", "1.safetensors"), path("shards", "2.safetensors")]);
    expect(checkpoint.extra).toEqual(["b"]);
    const both = [tensor(checkpoint.tensors, "b"), tensor(checkpoint.tensors, "c")];
    expect(await Promise.all(both.map(async (info) => (await checkpoint.read(info))[0]))).toEqual([1, 0]);
  });

  it("may be links to files elsewhere, as in a hub's cache", async () => {
    await folder("blobs", { blob: shard("a") });
    await folder("linked", { [INDEX]: index({ a: "1.safetensors" }) });
    await symlink(path("blobs", "blob"), path("linked", "1.safetensors"));
    await using checkpoint = await openCheckpoint(path("linked"));
    expect([...checkpoint.tensors.keys()]).toEqual(["a"]);
  });

  it.each([
    ["a listed tensor that no shard has", index({ a: "1.safetensors", z: "2.safetensors" }), 'tensor "z"'],
    ["a tensor that lies in another shard", index({ a: "2.safetensors", b: "1.safetensors" }), 'tensor "a"'],
    ["a shard that isn't there", index({ a: "3.safetensors" }), "3.safetensors"],
    ["a way up", index({ a: "../shards/1.safetensors" }), 'tensor "a"'],
    ["a way up in the middle", index({ a: "x/../../1.safetensors" }), 'tensor "a"'],
    ["an absolute path", index({ a: "/etc/1.safetensors" }), 'tensor "a"'],
    ["a Windows path", index({ a: "..\\1.safetensors" }), 'tensor "a"'],
    ["a drive", index({ a: "C:1.safetensors" }), 'tensor "a"'],
    ["another kind of file", index({ a: "config.json" }), 'tensor "a"'],
    ["a shard that is no name", index({ a: 1 }), 'tensor "a"'],
    ["no weight_map", "{}", "weight_map"],
    ["a weight_map that is a list", index(["1.safetensors"]), "weight_map"],
    ["a weight_map that is null", index(null), "weight_map"],
    ["null", "null", "weight_map"],
    ["an index that is no JSON", "{", "weight_map"],
  ])("are refused: %s", async (_, content, part) => {
    const given = await folder("refused", { ...shards, [INDEX]: content });
    await expectInputError(() => openCheckpoint(given), INDEX, part);
  });

  it("are refused: a name in two shards", async () => {
    const weightMap = { a: "1.safetensors", c: "2.safetensors" };
    const files = { ...shards, "2.safetensors": shard("c", "a"), [INDEX]: index(weightMap) };
    const given = await folder("twice", files);
    await expectInputError(() => openCheckpoint(given), 'tensor "a"', "1.safetensors", "2.safetensors");
  });
});

describe("what is no checkpoint", () => {
  it("is refused with what to do", async () => {
    await expectInputError(() => openCheckpoint(path("nowhere")), "nowhere", "no such folder");
    await expectInputError(
      async () => openCheckpoint(await folder("empty", {})),
      "empty",
      "model.safetensors",
    );
    await expectInputError(() => openCheckpoint("/dev/null"), "/dev/null", "no such folder or regular file");
    const config = await folder("text", { "config.json": "{}" });
    await expectInputError(() => openCheckpoint(`${config}/config.json`), "config.json", ".safetensors file");
    for (const pickle of ["pytorch_model.bin", "pytorch_model.bin.index.json"]) {
      const given = await folder("pickle", { [pickle]: "" });
      await expectInputError(
        () => openCheckpoint(given),
        pickle,
        "save_pretrained",
        "safe_serialization=True",
      );
      await rm(given, { recursive: true });
    }
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 1\n`;
    const lfs = await folder("lfs", { "model.safetensors": pointer });
    await expectInputError(() => openCheckpoint(lfs), "model.safetensors", "Git LFS");
  });
});

describe("a tensor beyond 4 GiB", () => {
  const name = () => path("sparse.safetensors");
  const big = 2 ** 32 + 3;
  const header = `{"a":${entry("U8", [big], 0, big)},"b":${entry("F32", [2], big, big + 8)}}`;
  const tail = new Uint8Array(new Float32Array([1.5, -2.25]).buffer);

  /** A file of 4 GiB that occupies a few kB; false where the filesystem can't. */
  async function makeSparse(): Promise<boolean> {
    const handle = await open(name(), "w");
    try {
      await handle.write(fileOf(header));
      await handle.write(tail, 0, tail.byteLength, 8 + header.length + big);
      const { blocks } = await handle.stat();
      return blocks * 512 < 2 ** 24;
    } catch {
      return false;
    } finally {
      await handle.close();
    }
  }

  it("is read from a sparse file", async ({ skip }) => {
    if (!(await makeSparse())) skip("this filesystem has no sparse files of 4 GiB");
    await using checkpoint = await openCheckpoint(name());
    expect(await checkpoint.read(tensor(checkpoint.tensors, "b"))).toEqual(tail);
    const a = tensor(checkpoint.tensors, "a");
    expect([...(await checkpoint.read(a, { byteOffset: 2 ** 32, byteLength: 3 }))]).toEqual([0, 0, 0]);
    await rm(name());
  });
});
