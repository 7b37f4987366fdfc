/** @file `rmtrain train` interrupted and gone on with: exit codes, the printed command, --resume and its refusals. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, CommanderError } from "commander";
import { beforeAll, describe, expect, it } from "vitest";
import { quoted } from "../../../src/cli/train/go-on.ts";
import { register } from "../../../src/cli/train/train.ts";
import { savedSteps } from "../../../src/train/state/folder.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { idPairs, jsonl } from "../../train/records.ts";
import { expectSameRun } from "../../train/state/runs.ts";
import { finished, main, rmtrain, spawnRmtrain } from "../run-rmtrain.ts";

let flags: readonly string[] = [];
/** A path that needs quoting. */
const out = join(temporaryFolder(), "it's a run");

beforeAll(async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const steps = ["--max-steps", "150", "--save-every", "1", "--log-every", "7", "--no-report"];
  flags = ["--model", model, "--data", jsonl(idPairs(30)), "--batch-size", "6", "--lr", "0.05", ...steps];
});

/** Runs until it has saved so many more states, then sends a signal. */
async function interrupted(args: readonly string[], signal: NodeJS.Signals, states: number) {
  const child = spawnRmtrain(args);
  const end = finished(child);
  const from = (await savedSteps(out)).at(-1) ?? 0;
  while (((await savedSteps(out)).at(-1) ?? 0) < from + states && child.exitCode === null) await sleep(5);
  child.kill(signal);
  return end;
}

const command = (err: string) => /^Go on with:\n {2}npx rmtrain (train .*)$/m.exec(err)?.[1] ?? "";

it("Ctrl-C saves and says how to go on; what it says works when pasted; SIGTERM too; the end is that of one run", async () => {
  const first = await interrupted([...flags, "--out", out], "SIGINT", 2);
  expect(first.code, first.err).toBe(130);
  expect(first.err).toMatch(/^Finishing the step and saving; interrupt again to stop at once$/m);
  expect(first.err).toMatch(
    /^rmtrain: Training was interrupted after step \d+ of 150; the state is in .*checkpoint-\d+$/m,
  );
  expect(command(first.err)).toMatch(/^train --resume '.*it'\\''s a run'$/);
  expect(existsSync(join(out, "model.safetensors"))).toBe(false);

  const second = await interrupted(["train", "--resume", out], "SIGTERM", 2);
  expect(second.code, second.err).toBe(143);
  expect(second.err).toMatch(/^Going on from .*checkpoint-\d+: \d+ steps done/m);

  // As a shell takes it; npx would look for an installed package.
  const pasted = `exec "$0" "$1" ${command(second.err)}`;
  const third = spawnSync("sh", ["-c", pasted, process.execPath, main], { encoding: "utf8" });
  expect(third.status, third.stderr).toBe(0);
  expect(third.stdout).toMatch(/Saved .*it's a run/);

  const whole = join(temporaryFolder(), "whole");
  expect((await rmtrain([...flags, "--out", whole])).code).toBe(0);
  expectSameRun(out, whole);
}, 300_000);

/** The command in this process. */
async function refused(args: readonly string[]): Promise<{ error: Error; err: string }> {
  const printed: string[] = [];
  const root = new Command("rmtrain").exitOverride();
  register(root);
  const output = { writeErr: (text: string) => void printed.push(text) };
  for (const each of [root, ...root.commands]) each.exitOverride().configureOutput(output);
  const error: unknown = await root.parseAsync(["train", ...args], { from: "user" }).catch((e: unknown) => e);
  if (!(error instanceof Error)) throw new Error("it was not refused");
  return { error, err: printed.join("") };
}

describe("refusals", () => {
  it("auto without --out", async () => {
    for (const args of [["--resume"], ["--resume", "auto"]]) {
      const { error, err } = await refused([...args, "--data", "x"]);
      expect(error).toBeInstanceOf(CommanderError);
      expect(err).toMatch(/'--resume auto' needs --out/);
    }
  });

  it("a folder without a run, and one without states: no data is named, no state is there", async () => {
    const empty = temporaryFolder();
    expect((await refused(["--resume", empty])).err).toMatch(/required option '--data/);
    const { error } = await refused(["--resume", empty, ...flags]);
    expect(error.message).toMatch(/no complete training state/);
  });

  it("a flag that would change the bits, by name; the run's own options need not be repeated", async () => {
    mkdirSync(out, { recursive: true });
    expect((await savedSteps(out)).length, "the first test has made the run").toBeGreaterThan(0);
    const before = readdirSync(out);
    for (const resume of [
      ["--resume", out],
      ["--resume", "auto", "--out", out],
    ]) {
      const { error } = await refused([...resume, "--lr", "0.1", "--seed", "3"]);
      expect(error.message).toMatch(/--lr was 0\.05, now it is 0\.1; --seed was 0, now it is 3/);
    }
    expect(readdirSync(out)).toEqual(before);
  });
});

it("words are quoted as a POSIX shell takes them", () => {
  for (const word of ["runs/a", "it's", "a b", "$HOME", "`x`", 'say "no"', "a\\b", "*", "", "-x", "ä;b"]) {
    const printed = spawnSync("sh", ["-c", `printf %s ${quoted(word)}`], { encoding: "utf8" });
    expect(printed.stdout).toBe(word);
  }
});
