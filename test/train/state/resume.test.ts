/** @file A run cut in two ends at the bytes of an undivided one, wherever it is cut and whatever it was doing. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TrainArguments } from "../../../src/train/options.ts";
import { readState } from "../../../src/train/state/checkpoint.ts";
import { train } from "../../../src/train/train.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { idPairs, jsonl, metricsOf } from "../records.ts";
import { expectSameRun, resumed, stoppedAt } from "./runs.ts";

const gpu = useGpu();
const folder = () => join(temporaryFolder(), "out");
const bare = await tinyModel({ family: "llama", architecture: "bare" });

/** 20 steps: 27 or 30 training pairs, six or less a step. The report draws, which takes longer than these runs. */
const twenty = {
  model: bare,
  data: jsonl(idPairs(30)),
  batchSize: 6,
  maxSteps: 20,
  lr: 0.05,
  report: false,
} as const;

it("20 steps equal 10 and 10 more, byte for byte", async () => {
  const [whole, cut] = [folder(), folder()];
  const options = { ...twenty, saveEvery: 5 };
  await train(gpu(), { ...options, out: whole });
  await stoppedAt(gpu(), { ...options, out: cut }, 10);
  expect(existsSync(join(cut, "model.safetensors"))).toBe(false);
  const { resumedStep, notes } = await resumed(gpu(), { ...options, out: cut }, cut);
  expect(resumedStep).toBe(10);
  expect(notes).toContainEqual(
    expect.stringMatching(/^Going on from .*checkpoint-10: 10 steps done, best so far/),
  );
  expectSameRun(cut, whole);
  expect(
    metricsOf(cut)
      .filter((line) => "loss" in line)
      .map((line) => line.step),
  ).toEqual([10, 20]);
});

it("wherever it is cut, with whatever options", async () => {
  const input = fc.record({
    cut: fc.integer({ min: 1, max: 19 }),
    logEvery: fc.constantFrom(1, 3, 7, 100),
    evalSteps: fc.constantFrom(undefined, 1, 4, 7),
    evalSplit: fc.constantFrom(0, 0.2),
    gradientAccumulationSteps: fc.constantFrom(1, 3),
    schedule: fc.constantFrom("cosine" as const, "linear" as const),
    weightDecay: fc.constantFrom(0, 0.1),
    seed: fc.nat(9),
    shuffle: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ cut, ...some }) => {
      const [whole, parts] = [folder(), folder()];
      const options = { ...twenty, ...some, saveEvery: 1 };
      await train(gpu(), { ...options, out: whole });
      await stoppedAt(gpu(), { ...options, out: parts }, cut);
      await resumed(gpu(), { ...options, out: parts });
      expectSameRun(parts, whole);
    }),
    { numRuns: 12 },
  );
});

it("with early stopping, before and after it has stopped", async () => {
  const held = jsonl(
    idPairs(9).map((r) => ({ ...r, chosen_ids: r.rejected_ids, rejected_ids: r.chosen_ids })),
  );
  const options = {
    ...twenty,
    evalData: held,
    earlyStoppingPatience: 3,
    evalSteps: 2,
    saveEvery: 2,
    logEvery: 5,
  };
  const whole = folder();
  const { lastStep, savedStep, totalSteps } = await train(gpu(), { ...options, out: whole });
  expect(totalSteps).toBe(20);
  expect(lastStep).toBe(savedStep + 6);
  expect(lastStep).toBeLessThan(20);
  expect(
    metricsOf(whole)
      .filter((line) => "loss" in line)
      .at(-1)?.step,
  ).toBe(lastStep);
  const cut = folder();
  await stoppedAt(gpu(), { ...options, out: cut }, lastStep - 2);
  await resumed(gpu(), { ...options, out: cut });
  expectSameRun(cut, whole);
  const again = await resumed(gpu(), { ...options, out: cut });
  expect([again.resumedStep, again.lastStep]).toEqual([lastStep, lastStep]);
  expectSameRun(cut, whole);
});

describe("from what a killed run leaves", () => {
  const options = { ...twenty, saveEvery: 4, saveTotalLimit: 3, logEvery: 1 };
  const stopped = async () => {
    const [whole, cut] = [folder(), folder()];
    await train(gpu(), { ...options, out: whole });
    await stoppedAt(gpu(), { ...options, out: cut }, 12);
    return { whole, cut, expected: () => expectSameRun(cut, whole) };
  };

  it("metrics of later steps and a torn line are cut off; temporaries go away", async () => {
    const { cut, expected } = await stopped();
    appendFileSync(join(cut, "metrics.jsonl"), `{"step":13,"loss":0.1}\n{"step":14,"lo`);
    writeFileSync(join(cut, ".model.safetensors.0123456789ab.tmp"), "half");
    cpSync(join(cut, "checkpoint-12"), join(cut, ".checkpoint-13.0123456789ab.tmp"), { recursive: true });
    await resumed(gpu(), { ...options, out: cut });
    expected();
    expect(readdirSync(cut).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("an older state, named: later ones are void", async () => {
    const { cut, expected } = await stopped();
    const { resumedStep } = await resumed(gpu(), { ...options, out: cut }, join(cut, "checkpoint-8"));
    expect(resumedStep).toBe(8);
    expected();
  });

  it("a damaged newest state: the one before it, with a note; named, it is refused", async () => {
    const { cut, expected } = await stopped();
    const file = join(cut, "checkpoint-12", "state.safetensors");
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    const named = train(gpu(), { ...options, out: cut }, undefined, { resume: join(cut, "checkpoint-12") });
    await expect(named).rejects.toThrow(/state\.safetensors is not the file that was saved: it is damaged/);
    const { resumedStep, notes } = await resumed(gpu(), { ...options, out: cut });
    expect(resumedStep).toBe(8);
    expect(notes).toContainEqual(
      expect.stringMatching(/checkpoint-12 can't be used .*an older one is taken/),
    );
    expected();
  });

  it("a finished run: the same files again", async () => {
    const { whole } = await stopped();
    const before = folder();
    cpSync(whole, before, { recursive: true });
    rmSync(join(whole, "model.safetensors"));
    const { resumedStep, lastStep } = await resumed(gpu(), { ...options, out: whole });
    expect([resumedStep, lastStep]).toEqual([20, 20]);
    expectSameRun(whole, before);
  });

  it("auto without a state: from the first step, whatever had been logged", async () => {
    const { whole } = await stopped();
    const begun = folder();
    cpSync(join(whole, "run.json"), join(begun, "run.json"), { recursive: true });
    writeFileSync(join(begun, "metrics.jsonl"), `{"step":1}\n{"st`);
    const { resumedStep, notes } = await resumed(gpu(), { ...options, out: begun });
    expect(resumedStep).toBeUndefined();
    expect(notes).toContainEqual(expect.stringMatching(/--resume auto: no saved state in .*first step/));
    expectSameRun(begun, whole);
  });
});

it("--save-total-limit keeps the newest states; --save-every says which", async () => {
  const states = async (some: Partial<TrainArguments>) => {
    const out = folder();
    await train(gpu(), { ...twenty, ...some, out });
    return readdirSync(out)
      .filter((name) => name.startsWith("checkpoint-"))
      .sort();
  };
  expect(await states({ saveEvery: 6, saveTotalLimit: 3 })).toEqual([
    "checkpoint-12",
    "checkpoint-18",
    "checkpoint-20",
  ]);
  expect(await states({ saveEvery: 50 })).toEqual(["checkpoint-20"]);
  // 27 pairs, five steps an epoch.
  expect(await states({})).toEqual(["checkpoint-15", "checkpoint-20"]);
});

it("a run with a constant rate goes on longer, as if it had been asked for so many steps at first", async () => {
  const [whole, cut] = [folder(), folder()];
  const options = { ...twenty, schedule: "constant", warmupSteps: 2, evalSteps: 5, saveEvery: 5 } as const;
  await train(gpu(), { ...options, out: whole });
  await train(gpu(), { ...options, maxSteps: 10, out: cut });
  const { resumedStep, totalSteps } = await resumed(gpu(), { ...options, out: cut });
  expect([resumedStep, totalSteps]).toEqual([10, 20]);
  expectSameRun(cut, whole);
});

it("the state says where the run is", async () => {
  const out = folder();
  await stoppedAt(gpu(), { ...twenty, out, saveEvery: 1, logEvery: 3 }, 8);
  const { progress, place, state } = await readState(join(out, "checkpoint-8"));
  // 27 pairs make five steps an epoch, the last of three pairs.
  expect(place).toEqual({ totalSteps: 20, epoch: 1, pairsOfEpoch: 18 });
  expect(progress.step).toBe(8);
  expect(progress.pending.map((s) => s.batches.map((b) => b.pairs))).toEqual([[6], [6]]);
  expect(state.weights.get("score.weight")?.values.length).toBe(24);
});
