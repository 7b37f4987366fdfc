/** @file The hash of a backbone's weights: what it is of, when it is remembered, and when it is not believed. */
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import { weightsHash } from "../../../src/train/feature-cache/weights-hash.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** The system's change times can't be set, so the clock goes on instead: files count as settled. */
function later(): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.now() + 3600e3);
}

async function hashOf(model: string, cacheDir: string): Promise<{ hash: string; read: boolean }> {
  await using folder = await openModelFolder(model);
  const chunks = vi.spyOn(folder.checkpoint, "chunks");
  const hash = await weightsHash(folder, cacheDir);
  return { hash, read: chunks.mock.calls.length > 0 };
}

/** Flips a bit in the file's last bytes, and gives it the times that it had. */
function change(file: string, fromEnd: number): void {
  const { atime, mtime } = statSync(file);
  const bytes = readFileSync(file);
  bytes[bytes.length - fromEnd] = (bytes[bytes.length - fromEnd] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  utimesSync(file, atime, mtime);
}

it("is of the backbone's names, types, shapes and bytes, and of no head", async () => {
  const dir = temporaryFolder();
  const hash = async (model: Promise<string>) => (await hashOf(await model, dir)).hash;
  const base = await hash(tinyModel({ family: "llama", architecture: "bare" }));
  expect(base).toMatch(/^[0-9a-f]{64}$/);
  expect(await hash(tinyModel({ family: "llama", architecture: "bare" }))).toBe(base);
  expect(await hash(tinyModel({ family: "llama" }))).toBe(base); // with a reward head
  expect(await hash(tinyModel({ family: "llama", architecture: "causal-lm" }))).toBe(base); // and a vocabulary head
  expect(await hash(tinyModel({ family: "llama", architecture: "bare", seed: 2 }))).not.toBe(base);
  expect(await hash(tinyModel({ family: "llama", architecture: "bare", dtype: "BF16" }))).not.toBe(base);
});

it("is remembered for files that have settled, and read again when any of their times has changed", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const dir = temporaryFolder();
  const file = join(model, "model.safetensors");
  expect((await hashOf(model, dir)).read).toBe(true);
  expect(readdirSync(dir)).toEqual([]); // too young
  later();
  const { hash, read } = await hashOf(model, dir);
  expect(read).toBe(true);
  expect(await hashOf(model, dir)).toEqual({ hash, read: false });
  change(file, 1);
  const changed = await hashOf(model, dir);
  expect(changed.read).toBe(true);
  expect(changed.hash).not.toBe(hash);
  expect(await hashOf(model, dir)).toEqual({ hash: changed.hash, read: false });
});

it("a damaged memory is not believed", async () => {
  later();
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const dir = temporaryFolder();
  const { hash } = await hashOf(model, dir);
  const [name = expect.fail("nothing was remembered")] = readdirSync(dir);
  const file = join(dir, name);
  const good = readFileSync(file, "utf8");
  const wrong = hash.replace(/^./, hash.startsWith("0") ? "1" : "0");
  for (const bad of ["", "{", "null", good.slice(0, -9), good.replace(hash, wrong), '{"weights":"x"}']) {
    writeFileSync(file, bad);
    expect(await hashOf(model, dir), bad).toEqual({ hash, read: true });
    expect(readFileSync(file, "utf8")).toBe(good);
  }
});

it("a folder that remembers nothing costs only time", async () => {
  later();
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const nowhere = join(temporaryFolder(), "none");
  expect((await hashOf(model, nowhere)).hash).toBe((await hashOf(model, temporaryFolder())).hash);
});
