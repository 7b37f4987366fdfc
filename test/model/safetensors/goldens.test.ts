/** @file Files written by the reference implementation (PyTorch's): read, and written again byte for byte. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import safetensors from "safetensors";
import { describe, expect, it } from "vitest";
import { openCheckpoint, toFloat32, writeSafetensors } from "../../../src/model/safetensors/index.ts";
import { temporaryFolder } from "./support.ts";

const shared = process.env.RMTRAIN_SHARED;
const path = temporaryFolder();

describe.skipIf(shared === undefined)("files of the reference implementation (RMTRAIN_SHARED)", () => {
  const root = shared ?? "";

  it("written again give the same bytes", async () => {
    const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith(".safetensors"));
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      await using checkpoint = await openCheckpoint(join(root, file));
      const chunksOf = async function* (name: string) {
        const info = checkpoint.tensors.get(name) ?? expect.fail(`no tensor ${name}`);
        for await (const { bytes } of checkpoint.chunks(info, 1 << 16)) yield bytes;
      };
      const sources = [...checkpoint.tensors.values()].map(({ name, dtype, shape }) => ({
        ...{ name, dtype, shape },
        data: () => chunksOf(name),
      }));
      const metadata = Object.keys(checkpoint.metadata).length > 0 ? checkpoint.metadata : null;
      await writeSafetensors(path("again.safetensors"), sources, metadata);
      const [ours, theirs] = [await readFile(path("again.safetensors")), await readFile(join(root, file))];
      expect(ours.equals(theirs), file).toBe(true);
    }
  });

  it("agree with the independent reader where it can read them", async () => {
    const file = join(root, "goldens", "llama", "golden.safetensors"); // has no __metadata__
    const other = new safetensors.SafeTensor(new Uint8Array(await readFile(file)));
    await using checkpoint = await openCheckpoint(file);
    expect([...checkpoint.tensors.keys()].sort()).toEqual([...other.metadata.keys()].sort());
    for (const info of checkpoint.tensors.values()) {
      expect(await checkpoint.read(info)).toEqual(new Uint8Array(other.getTensor(info.name)));
    }
  });

  it("in shards open as one checkpoint that matches its index", async () => {
    const folder = join(root, "goldens", "qwen2", "model");
    await using checkpoint = await openCheckpoint(folder);
    const index = JSON.parse(await readFile(join(folder, "model.safetensors.index.json"), "utf8"));
    expect(checkpoint.files).toHaveLength(2);
    expect(checkpoint.extra).toEqual([]);
    expect([...checkpoint.tensors.keys()].sort()).toEqual(Object.keys(index.weight_map).sort());
    let total = 0;
    for (const info of checkpoint.tensors.values()) {
      const values = toFloat32(await checkpoint.read(info), info.dtype);
      expect(values.every(Number.isFinite), info.name).toBe(true);
      total += info.end - info.begin;
    }
    expect(total).toBe(index.metadata.total_size);
  });
});
