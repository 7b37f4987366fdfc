/** @file Results in a file: all of them or none, and devices are written to, never replaced. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { withLineOutput } from "../../src/cli/score-output.ts";
import { temporaryFolder } from "../model/tiny-model.ts";

function oldFile(): string {
  const path = join(temporaryFolder(), "out.jsonl");
  writeFileSync(path, "old\n");
  return path;
}

it("a file holds the old lines until all new ones are there", async () => {
  const path = oldFile();
  const result = await withLineOutput(path, async (write) => {
    expect(await write("one\n")).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("old\n");
    await write("two\n");
    return 2;
  });
  expect(result).toBe(2);
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
});

it("after a failure the file is as it was, and nothing lies beside it", async () => {
  const path = oldFile();
  const failing = withLineOutput(path, async (write) => {
    await write("one\n");
    throw new Error("line 2 is bad");
  });
  await expect(failing).rejects.toThrow("line 2 is bad");
  expect(readFileSync(path, "utf8")).toBe("old\n");
  expect(readdirSync(dirname(path))).toEqual(["out.jsonl"]);
});

it("a folder that does not exist is told before any work", async () => {
  let called = false;
  const writing = withLineOutput(join(temporaryFolder(), "missing", "out.jsonl"), async () => {
    called = true;
  });
  await expect(writing).rejects.toThrow(/can't write .*missing/);
  expect(called).toBe(false);
});

it.skipIf(process.platform === "win32")("a device stays a device", async () => {
  expect(await withLineOutput("/dev/null", (write) => write("line\n"))).toBe(true);
  expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
});
