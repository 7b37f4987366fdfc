/** @file Processes that write to one cache and are killed at any moment: what they leave is right, and stays in bounds. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../model/tiny-model.ts";
import { bytesIn, fill, readBack } from "./given-rows.ts";

const script = fileURLToPath(new URL("write-forever.ts", import.meta.url));

it("kill -9 of two writers at once, again and again: no wrong row, no byte above the limit", async () => {
  const dir = temporaryFolder();
  const limit = 2 ** 18;
  for (let round = 0; round < 3; round++) {
    const writers = [0, 1e6].map((first) =>
      spawn(process.execPath, ["--import", "tsx", script, dir, String(first)], {
        stdio: ["ignore", "pipe", "inherit"],
      }),
    );
    await Promise.all(writers.map((child) => once(child.stdout, "data")));
    await sleep(71 * round);
    for (const child of writers) child.kill("SIGKILL");
    await Promise.all(writers.map((child) => once(child, "exit")));
    // The ends of files that were being made may have been reserved above the limit, but hold nothing there.
    await readBack({ dir, limit }, []);
    expect(await bytesIn(dir)).toBeLessThanOrEqual(limit);
  }
  const all = [0, 1e6].flatMap((first) => Array.from({ length: 5000 }, (_, i) => first + i));
  const { found, notes } = await readBack({ dir, limit }, all);
  expect(found.length).toBeGreaterThan(30);
  expect(notes).toEqual([]);
  const after = await fill({ dir, limit: 2 * limit }, [0, 1, 2, 777_777]);
  expect((await readBack({ dir, limit: 2 * limit }, [0, 1, 2, 777_777])).found.length).toBe(4);
  expect(after.notes).toEqual([]);
});
