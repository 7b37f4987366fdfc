/**
 * @file kill -9 at random points: nothing is corrupt, no step is lost that is older than the last save, and the run that
 * goes on ends at the bytes of one that was never disturbed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { Random } from "../../../src/data/random.ts";
import { openCheckpoint } from "../../../src/model/safetensors/index.ts";
import type { TrainArguments } from "../../../src/train/options.ts";
import { readState } from "../../../src/train/state/checkpoint.ts";
import { savedSteps } from "../../../src/train/state/folder.ts";
import { train } from "../../../src/train/train.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { compiled } from "../../support/compiled.ts";
import { useGpu } from "../../support/gpu.ts";
import { idPairs, jsonl } from "../records.ts";
import { expectSameRun } from "./runs.ts";

const gpu = useGpu();
const child = fileURLToPath(new URL("child.mjs", import.meta.url));
const seed = Number(process.env.RMTRAIN_KILL_SEED ?? Date.now() % 1_000_000);

/** When a process is killed: so many milliseconds after it says `after` for the `times`-th time; "": after its start. */
interface Moment {
  readonly after: string;
  readonly times: number;
  readonly ms: number;
}

/** Runs a process until the moment, or to its end. @returns the last step that it said was saved, and its exit code */
async function runUntil(options: TrainArguments, moment: Moment | undefined) {
  const run = spawn(process.execPath, [child, compiled(), JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let err = "";
  run.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  let saved = -1;
  let seen = 0;
  const kill = async (ms: number) => {
    await sleep(ms);
    run.kill("SIGKILL");
  };
  if (moment?.after === "") void kill(moment.ms);
  const closed = once(run, "close");
  for await (const line of createInterface({ input: run.stdout })) {
    if (line.startsWith("saved ")) saved = Number(line.slice(6));
    if (
      moment !== undefined &&
      moment.after !== "" &&
      line.startsWith(moment.after) &&
      ++seen === moment.times
    )
      void kill(moment.ms);
  }
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  return { saved, code, signal, err };
}

/** Whatever stands under its own name is whole. @returns steps of the newest state; -1: none */
async function checkWhole(out: string, undisturbed: string): Promise<number> {
  if (!existsSync(out)) return -1;
  const names = readdirSync(out).filter((name) => !name.startsWith("."));
  for (const name of names.filter((n) => n.endsWith(".json")))
    JSON.parse(readFileSync(join(out, name), "utf8"));
  if (names.includes("model.safetensors")) await (await openCheckpoint(out)).close();
  const steps = await savedSteps(out);
  for (const step of steps) {
    const { metricsBytes } = await readState(join(out, `checkpoint-${step}`));
    if (metricsBytes === 0) continue; // before the first line there is no file
    const lines = readFileSync(join(out, "metrics.jsonl")).subarray(0, metricsBytes);
    const expected = readFileSync(join(undisturbed, "metrics.jsonl")).subarray(0, metricsBytes);
    expect(lines.equals(expected), `metrics.jsonl up to step ${step}`).toBe(true);
  }
  return steps.at(-1) ?? -1;
}

/**
 * Kills a run at each moment and lets it go on after each, then to its end, which is that of `undisturbed`.
 * @returns how often it was killed before it had ended by itself
 */
async function disturbed(options: TrainArguments, undisturbed: string, moments: readonly Moment[]) {
  const own = { ...options, out: join(temporaryFolder(), "out") };
  let kills = 0;
  let newest = -1;
  for (const moment of moments) {
    const { saved, code, signal, err } = await runUntil(own, moment);
    if (signal === "SIGKILL") kills++;
    else expect(code, err).toBe(0); // it was faster
    const found = await checkWhole(own.out, undisturbed);
    expect(found, "steps of the newest state").toBeGreaterThanOrEqual(Math.max(saved, newest));
    newest = found;
  }
  const { code, err } = await runUntil(own, undefined);
  expect(code, err).toBe(0);
  expectSameRun(own.out, undisturbed);
  expect(readdirSync(own.out).filter((name) => name.startsWith("."))).toEqual([]);
  return kills;
}

it(`32 kills; RMTRAIN_KILL_SEED=${seed}`, { timeout: 300_000 }, async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const options = {
    model,
    data: jsonl(idPairs(30)),
    batchSize: 6,
    maxSteps: 120,
    saveEvery: 1,
    logEvery: 4,
    report: false,
  };
  const out = join(temporaryFolder(), "out");
  await train(gpu(), { ...options, out });

  const chain = (number: number) => {
    const random = new Random(seed, 7, number);
    const moments: Moment[] = [
      // Anywhere, also while modules are loaded; between and within steps and saves; while the models are written.
      ...Array.from({ length: 3 }, () => ({ after: "", times: 1, ms: random.below(1200) })),
      ...Array.from({ length: 9 }, () => ({
        after: "saved",
        times: 1 + random.below(8),
        ms: random.below(12),
      })),
      { after: "saved 120", times: 1, ms: random.below(5) },
      ...Array.from({ length: 3 }, () => ({ after: "training", times: 1, ms: random.below(40) })),
    ];
    return disturbed({ ...options, out }, out, moments);
  };
  const kills = await Promise.all([chain(0), chain(1)]);
  expect(kills[0]! + kills[1]!).toBeGreaterThanOrEqual(30);
});

it.each(["full", "lora"] as const)(
  `--trainable %s: kills in steps, while a state and while the models are written; RMTRAIN_KILL_SEED=${seed}`,
  { timeout: 300_000 },
  async (trainable) => {
    const options = {
      model: await tinyModel({ family: "llama", architecture: "bare" }),
      data: jsonl(idPairs(30)),
      trainable,
      lr: 0.003,
      batchSize: 6,
      batchTokens: 24,
      maxSteps: 12,
      saveEvery: 1,
      logEvery: 4,
      report: false,
    } as const;
    const out = join(temporaryFolder(), "out");
    await train(gpu(), { ...options, out });
    const random = new Random(seed, 7, 2);
    const moments: Moment[] = [
      { after: "training", times: 1, ms: random.below(60) },
      { after: "saved", times: 1 + random.below(4), ms: random.below(25) },
      { after: "saved", times: 1 + random.below(4), ms: random.below(25) },
      { after: "saved 12", times: 1, ms: random.below(20) },
    ];
    expect(await disturbed({ ...options, out }, out, moments)).toBeGreaterThanOrEqual(3);
  },
);
