/** @file The process beside its work: pipes that close, disks that are full, input that does not end, interrupts. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { finished, main, rmtrain, spawnRmtrain } from "./run-rmtrain.ts";

const ids = (count: number) => `${JSON.stringify({ input_ids: [1, 2, 3] })}\n`.repeat(count);

let model = "";
let score: readonly string[] = [];
beforeAll(async () => {
  model = await tinyModel({ family: "llama" });
  score = ["score", "--model", model, "--data", "-"];
});

it("a mistyped command is told as such, with those that there are", async () => {
  const { code, out, err } = await rmtrain(["scroe", "--data", "x.jsonl"]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(/^error: unknown command 'scroe' \(there are train, check, eval, score, trace,/);
});

describe("streams", () => {
  const full = "/dev/full";

  it.skipIf(!existsSync(full))("a full disk behind stdout: one line, exit code 1", () => {
    const disk = openSync(full, "w");
    for (const args of [["--help"], score]) {
      const run = spawnSync(process.execPath, [main, ...args], {
        stdio: ["pipe", disk, "pipe"],
        input: ids(1),
        encoding: "utf8",
      });
      expect(run.status, run.stderr).toBe(1);
      expect(run.stderr).toMatch(/^rmtrain: can't write to standard output: .*ENOSPC/m);
      expect(run.stderr).not.toMatch(/^ {4}at /m);
    }
    closeSync(disk);
  });

  it("a reader that has gone before anything was written: quiet, exit code 0", async () => {
    const child = spawnRmtrain(["--help"]);
    child.stdout.destroy();
    const { code, err } = await finished(child);
    expect({ code, err }).toEqual({ code: 0, err: "" });
  });

  it("nobody reads stderr: the work is done", async () => {
    const child = spawnRmtrain(score);
    child.stderr.destroy();
    child.stdin.end(ids(3));
    const { code, out } = await finished(child);
    expect(code).toBe(0);
    expect(out.trimEnd().split("\n").length).toBe(3);
  });
});

describe("input that stays open", () => {
  const endless = async (args: readonly string[], input: string) => {
    const child = spawnRmtrain(args);
    child.stdin.on("error", () => {});
    if (input !== "") child.stdin.write(input);
    const began = performance.now();
    const result = await finished(child);
    return { ...result, seconds: (performance.now() - began) / 1e3 };
  };

  it.each([
    ["a bad line", () => score, `${ids(2)}{"text": 7}\n`, 2],
    ["a model that is missing", () => ["score", "--model", "no/such", "--data", "-"], "", 2],
    ["an option that is wrong", () => [...score, "--batch-tokens", "0"], "", 2],
    ["too little memory", () => [...score, "--memory-budget", "16KiB"], ids(1), 1],
  ])("does not keep the process: %s", async (_, args, input, code) => {
    const result = await endless(args(), input);
    expect(result.code, result.err).toBe(code);
    expect(result.err).not.toMatch(/^ {4}at /m);
    expect(result.seconds).toBeLessThan(20);
  });
});

describe("an interrupt", () => {
  /** Clock ticks (10 ms) that the process has used, where the system tells. */
  const ticks = (pid: number) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };

  it("while it waits for input: it idled, it ends at once, the file that it was to replace is as it was", async () => {
    const out = join(temporaryFolder(), "out.jsonl");
    writeFileSync(out, "old\n");
    const child = spawnRmtrain([...score, "--out", out]);
    const end = finished(child);
    child.stdin.on("error", () => {});
    child.stdin.write(ids(20));
    // Once the file's successor lies beside it, the model is loaded.
    while (readdirSync(dirname(out)).length === 1 && child.exitCode === null) await sleep(20);
    await sleep(500);
    if (child.pid !== undefined && existsSync(`/proc/${child.pid}/stat`)) {
      const before = ticks(child.pid);
      await sleep(500);
      expect(ticks(child.pid) - before, "ticks of 10 ms used in half a second of idling").toBeLessThan(15);
    }
    const began = performance.now();
    child.kill("SIGINT");
    expect((await end).code).toBe(130);
    expect(performance.now() - began).toBeLessThan(2000);
    expect(readFileSync(out, "utf8")).toBe("old\n");
  });

  it("while modules, device and model are being loaded: it ends at once", async () => {
    for (const wait of [50, 600]) {
      const child = spawnRmtrain(score);
      child.stdin.on("error", () => {});
      await once(child, "spawn");
      await sleep(wait);
      const began = performance.now();
      child.kill("SIGINT");
      const { code, out } = await finished(child);
      // Before the command has begun, the system ends the process: no code then.
      expect([130, null]).toContain(code);
      expect(out).toBe("");
      expect(performance.now() - began).toBeLessThan(2000);
    }
  });
});
