/** @file A number that stops being finite: the step, its rows, the last good state; in memory the last good weights. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RmtrainError } from "../../../src/errors.ts";
import { readState } from "../../../src/train/state/checkpoint.ts";
import { train } from "../../../src/train/train.ts";
import { allFinite } from "../../../src/train/trainer.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { normals } from "../../support/numbers.ts";
import { givenPairs, runLoop, trainOptions } from "../given-features.ts";
import { idPairs, jsonl, metricsOf } from "../records.ts";

const gpu = useGpu();

it("a margin past f32: its row is named with the step and the last state, which is that of the step before", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const out = join(temporaryFolder(), "out");
  const records = idPairs(24).map((r, i) => (i === 20 ? { ...r, margin: 1e39 } : r));
  const data = jsonl(records);
  const options = {
    model,
    data,
    out,
    evalSplit: 0,
    batchSize: 8,
    shuffle: false,
    saveEvery: 1,
    logEvery: 10,
  };
  const failed: unknown = await train(gpu(), options).catch((e: unknown) => e);
  expect(failed).toBeInstanceOf(RmtrainError);
  expect(failed).toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(
      /not finite at step 3; .*the weights of step 2, and the last saved state, which is good, is .*checkpoint-2\. Of that step's 8 pairs, the worst .*: .*data\.jsonl:21 \(loss not finite, margin 1e\+39\), .*data\.jsonl:\d+ \(loss \d/,
    ),
  });
  expect(readdirSync(out).sort()).toEqual(["checkpoint-1", "checkpoint-2", "run.json"]);
  const { state, progress } = await readState(join(out, "checkpoint-2"));
  expect(progress.step).toBe(2);
  expect([state.weights, state.m, state.v].every(allFinite)).toBe(true);
});

it("what was logged and evaluated before the bad step is all there is", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const out = join(temporaryFolder(), "out");
  const data = jsonl(idPairs(24).map((r, i) => (i === 20 ? { ...r, margin: 1e39 } : r)));
  const evalData = jsonl(idPairs(6), "held.jsonl");
  const options = { model, data, evalData, out, batchSize: 8, shuffle: false, evalSteps: 1, logEvery: 100 };
  await expect(train(gpu(), options)).rejects.toThrow(/step 3; .*no state had been saved yet/);
  expect(metricsOf(out).map((line) => line.step)).toEqual([1, 2]);
});

it("with accumulation: the pairs of all its batches are that step's", async () => {
  const given = givenPairs(7, 6, 12, 0);
  const margins = given.margins.map((m, i) => (i === 4 ? 1e39 : m));
  const options = trainOptions({
    batchSize: 2,
    gradientAccumulationSteps: 3,
    shuffle: false,
    epochs: 2,
    logEvery: 5,
  });
  let weights = new Float32Array();
  const run = runLoop(gpu(), { ...given, margins }, normals(2, 6), options, {
    failed: async (trainer) => {
      weights = await trainer.head();
    },
  });
  await expect(run).rejects.toThrow(/not finite at step 1; .*Of that step's 6 pairs/);
  expect([...weights]).toEqual([...normals(2, 6)]);
});

it.each([
  [1e30, 0.5],
  [1e38, 0],
])(
  "a rate of %d takes the head past f32: the weights in memory are the last saved ones",
  async (lr, weightDecay) => {
    const options = trainOptions({
      batchSize: 4,
      maxSteps: 6,
      lr,
      weightDecay,
      warmupSteps: 0,
      schedule: "constant",
    });
    let weights = new Float32Array();
    const run = runLoop(gpu(), givenPairs(8, 6, 8, 0), normals(2, 6), options, {
      failed: async (trainer) => {
        weights = await trainer.head();
      },
    });
    const message = await run.then(
      () => "",
      (error: Error) => error.message,
    );
    expect(message).toMatch(
      /weights were not finite at step [12]; training stopped there with the weights of step 0/,
    );
    expect([...weights]).toEqual([...normals(2, 6)]);
  },
);
