/** @file Checkpoints in several files: transformers' own bytes, what the reader makes of them, and nothing stale beside. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  defaultMaxShardSize,
  openCheckpoint,
  type TensorSource,
  writeCheckpoint,
} from "../../../src/model/safetensors/index.ts";
import { goldenModel } from "../../reference/goldens.ts";
import { temporaryFolder } from "../tiny-model.ts";

const tensor = (name: string, bytes: number): TensorSource => ({
  name,
  dtype: "U8",
  shape: [bytes],
  data: () => new Uint8Array(bytes).fill(name.length),
});
const weights = (folder: string) => readdirSync(folder).sort();

/** Where a tensor stands in transformers' modules, which is the order in which it fills files. */
const modules =
  /embed_tokens|q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj|input_layernorm|post_attention/;
const order =
  "embed_tokens q_proj k_proj v_proj o_proj gate_proj up_proj down_proj input_layernorm post_attention".split(
    " ",
  );
function place(name: string): number {
  const layer = /layers\.(\d+)/.exec(name)?.[1];
  if (name.includes("embed_tokens")) return -1;
  if (layer === undefined) return name === "score.weight" ? 1e6 : 1e5;
  const module = order.indexOf(modules.exec(name)?.[0] ?? "");
  return 100 * Number(layer) + 2 * module + (name.endsWith("bias") ? 1 : 0);
}

it("the golden qwen2 in two files: transformers' own shards and index, byte for byte", async () => {
  const [golden, folder] = [goldenModel("qwen2"), temporaryFolder()];
  await using checkpoint = await openCheckpoint(golden);
  const tensors = await Promise.all(
    [...checkpoint.tensors.values()]
      .sort((a, b) => place(a.name) - place(b.name))
      .map(async (info) => {
        const bytes = await checkpoint.read(info);
        return { name: info.name, dtype: info.dtype, shape: info.shape, data: () => bytes };
      }),
  );
  await writeCheckpoint(folder, tensors, 40_000);
  const files = readdirSync(golden).filter((file) => file.startsWith("model"));
  expect(weights(folder)).toEqual(files.sort());
  for (const file of files)
    expect(readFileSync(join(folder, file)).equals(readFileSync(join(golden, file))), file).toBe(true);
});

it("files hold no more than was asked for, but a tensor that is larger alone; the reader finds every tensor", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 60 }),
      async (sizes, most) => {
        const folder = temporaryFolder();
        const names = sizes.map((_, i) => `t${"x".repeat(i)}`);
        await writeCheckpoint(
          folder,
          sizes.map((size, i) => tensor(names[i] ?? "", size)),
          most,
        );
        await using checkpoint = await openCheckpoint(folder);
        expect([...checkpoint.tensors.keys()].sort()).toEqual(names);
        expect(checkpoint.extra).toEqual([]);
        for (const info of checkpoint.tensors.values())
          expect([...(await checkpoint.read(info))].every((b) => b === info.name.length)).toBe(true);
        for (const file of checkpoint.files) {
          const held = [...checkpoint.tensors.values()].filter((info) => info.file === file);
          const bytes = held.reduce((sum, { begin, end }) => sum + end - begin, 0);
          expect(bytes <= most || held.length === 1).toBe(true);
        }
        const count = checkpoint.files.length;
        expect(weights(folder).includes("model.safetensors")).toBe(count === 1);
        expect(weights(folder).length).toBe(count === 1 ? 1 : count + 1);
      },
    ),
    { numRuns: 25 },
  );
});

describe("over another checkpoint, nothing of it stays", () => {
  it.each([
    ["one file over three", 10, 1000],
    ["three over one", 1000, 10],
    ["two over three", 10, 20],
  ])("%s", async (_, before, after) => {
    const folder = temporaryFolder();
    const three = ["a", "bb", "ccc"].map((name) => tensor(name, 10));
    writeFileSync(join(folder, "config.json"), "{}");
    await writeCheckpoint(folder, three, before);
    await writeCheckpoint(folder, three, after);
    const fresh = temporaryFolder();
    await writeCheckpoint(fresh, three, after);
    expect(weights(folder)).toEqual(["config.json", ...weights(fresh)]);
  });

  it("a write that fails leaves no index, so that old and new files are never read as one model", async () => {
    const folder = temporaryFolder();
    const three = ["a", "bb", "ccc"].map((name) => tensor(name, 10));
    await writeCheckpoint(folder, three, 10);
    const short = { ...tensor("bb", 10), data: () => new Uint8Array(3) };
    await expect(writeCheckpoint(folder, [tensor("a", 10), short, tensor("ccc", 10)], 10)).rejects.toThrow(
      /needs 10 bytes/,
    );
    await expect(openCheckpoint(folder)).rejects.toThrow(/no model.safetensors and no .*index/);
  });
});

it("the default is that of transformers 5", () => {
  expect(defaultMaxShardSize).toBe(50e9);
});
