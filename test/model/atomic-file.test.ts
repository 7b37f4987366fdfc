/** @file Atomic replacement of files. */
import { spawnSync } from "node:child_process";
import { mkdir, open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { RmtrainError } from "../../src/errors.ts";
import {
  createFolder,
  removeFolder,
  removeTemporaries,
  replaceFile,
  writeFileAtomic,
} from "../../src/model/atomic-file.ts";
import { compiled } from "../support/compiled.ts";
import { failureOf, temporaryFolder } from "./safetensors/support.ts";

describe("an atomic file", () => {
  const path = temporaryFolder();

  it("is created and replaced, from text and bytes", async () => {
    await writeFileAtomic(path("config.json"), '{"é":1}');
    expect(await readFile(path("config.json"), "utf8")).toBe('{"é":1}');
    await writeFileAtomic(path("config.json"), new Uint8Array([1, 2]));
    expect([...(await readFile(path("config.json")))]).toEqual([1, 2]);
    expect(await readdir(path())).toEqual(["config.json"]);
  });

  it("shows the old content until the new one is complete, also to who has it open", async () => {
    await writeFile(path("a"), "old");
    const reader = await open(path("a"), "r");
    await replaceFile(path("a"), async (handle) => {
      await handle.write("new");
      expect(await readFile(path("a"), "utf8")).toBe("old");
    });
    expect(await readFile(path("a"), "utf8")).toBe("new");
    expect(await reader.readFile("utf8")).toBe("old");
    await reader.close();
  });

  it("keeps the old content and leaves nothing behind when writing fails", async () => {
    await writeFile(path("b"), "old");
    const before = await readdir(path());
    const broken = replaceFile(path("b"), async (handle) => {
      await handle.write("half");
      throw new TypeError("broken");
    });
    expect(await failureOf(() => broken)).toBeInstanceOf(TypeError);
    expect(await readFile(path("b"), "utf8")).toBe("old");
    expect(await readdir(path())).toEqual(before);
  });

  it("names the path when the system refuses, and leaves nothing behind", async () => {
    await mkdir(path("folder", "full"), { recursive: true });
    for (const target of [path("missing", "x"), path("folder")]) {
      const error = await failureOf(() => writeFileAtomic(target, "x"));
      expect(error).toBeInstanceOf(RmtrainError);
      expect(String(error)).toContain(`can't write ${target}`);
    }
    expect((await readdir(path())).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("may be written by several at once: one of them wins whole", async () => {
    const texts = ["a", "b", "c"].map((letter) => letter.repeat(10_000));
    await Promise.all(texts.map((text) => writeFileAtomic(path("race"), text)));
    expect(texts).toContain(await readFile(path("race"), "utf8"));
  });

  it("leaves nothing beside the file when the process ends in the middle of a write", async () => {
    const module = pathToFileURL(join(compiled(), "model/atomic-file.js")).href;
    const script = `import { replaceFile } from ${JSON.stringify(module)};
      await replaceFile(process.argv[1], async (handle) => { await handle.write("half"); process.exit(130); });`;
    const args = ["--input-type=module", "-e", script, path("model.safetensors")];
    const before = await readdir(path());
    const run = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(run.status, run.stderr).toBe(130);
    expect(await readdir(path())).toEqual(before);
  });
});

describe("an atomic folder", () => {
  const path = temporaryFolder();
  const write = (text: string) => async (dir: string) => {
    await writeFileAtomic(join(dir, "a"), text);
    expect(await readdir(path())).not.toContain("made");
  };

  it("is there with all its files, or not at all", async () => {
    const failed = createFolder(path("made"), async (dir) => {
      await write("half")(dir);
      throw new Error("no more");
    });
    await expect(failed).rejects.toThrow("no more");
    expect(await readdir(path())).toEqual([]);
    await createFolder(path("made"), write("whole"));
    expect(await readdir(path())).toEqual(["made"]);
    expect(await readFile(path("made", "a"), "utf8")).toBe("whole");
  });

  it("does not replace one that is there, and names it", async () => {
    const failed = createFolder(path("made"), (dir) => writeFile(join(dir, "a"), "other"));
    await expect(failed).rejects.toThrow(/^can't write .*made: E/);
    await expect(failed).rejects.toBeInstanceOf(RmtrainError);
    expect(await readFile(path("made", "a"), "utf8")).toBe("whole");
    expect(await readdir(path())).toEqual(["made"]);
  });

  it("goes away; what killed writers left goes too, and nothing else", async () => {
    await removeFolder(path("made"));
    expect(await readdir(path())).toEqual([]);
    const others = [".hidden", "x.tmp", ".made.0123456789ab.tmpx", ".made.0123.tmp"];
    for (const name of [...others, ".made.0123456789ab.tmp"]) await writeFile(path(name), "");
    await mkdir(path(".checkpoint-7.ba9876543210.tmp"));
    await writeFile(path(".checkpoint-7.ba9876543210.tmp", "state"), "");
    await removeTemporaries(path());
    expect((await readdir(path())).sort()).toEqual([...others].sort());
    await removeTemporaries(path("nowhere"));
  });
});
