/** @file The head's steps on the device: torch's golden run, no new buffers, and runs that stop being finite. */
import { expect, it } from "vitest";
import { loadBackbone } from "../../src/model/load.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { readIndex } from "../../src/model/recipe.ts";
import { readHead } from "../../src/model/reward-head.ts";
import { uploadTensor } from "../../src/tensor/tensor.ts";
import { computeFeatures, releaseFeatures } from "../../src/train/features.ts";
import { HeadTrainer } from "../../src/train/head-trainer.ts";
import { learningRate } from "../../src/train/schedule.ts";
import { goldenJson, goldenModel, goldenTensors } from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { givenPairs, runLoop, trainOptions } from "./given-features.ts";

const gpu = useGpu();
const windowed = useGpu({ limits: { maxBinding: 4096 } });

const golden = goldenTensors("adamw-head");
const { trajectories } = goldenJson<{
  trajectories: Record<
    string,
    { lr: number; weight_decay: number; losses_f64: number[]; grad_norms_before_clip_f64: number[] }
  >;
}>("adamw-head", "manifest.json");

/** The golden batch's sequences without padding: four chosen, then the four rejected. */
function goldenSequences(batch: number): Int32Array[] {
  const ids = golden.get(`train/${batch}/input_ids`);
  const mask = golden.get(`train/${batch}/attention_mask`).data;
  const [rows = 0, width = 0] = ids.shape;
  return Array.from({ length: rows }, (_, r) =>
    Int32Array.from(
      [...ids.data.subarray(r * width, (r + 1) * width)].filter((_, p) => mask[r * width + p] === 1),
    ),
  );
}

it.each(Object.entries(trajectories))(
  "%s: torch's head after ten steps on our own features",
  async (name, golden10) => {
    await using folder = await openModelFolder(goldenModel("adamw-head"));
    const { backbone } = await loadBackbone(gpu(), folder);
    const items = [0, 1, 2, 3].flatMap(goldenSequences).map((ids) => ({ sequences: [ids] }));
    const features = await computeFeatures(
      gpu(),
      folder.config.hiddenSize,
      items,
      (ids) => readIndex(ids, folder.recipe, folder.config.padTokenId),
      { batchTokens: 64 },
      (_, work) => work(backbone),
    );
    backbone.release();
    try {
      const head = (await readHead(folder)) ?? expect.fail("the golden model has a head");
      const settings = trainOptions({
        batchSize: 4,
        weightDecay: golden10.weight_decay,
        maxGradNorm: 0,
        logEvery: 10,
      });
      using trainer = new HeadTrainer(gpu(), features.table, head, settings);
      const stored = golden.get(`${name}/head_after_each_step.f64`).data;
      for (let step = 0; step < 10; step++) {
        const rows = features.rows.slice(8 * (step % 4), 8 * (step % 4) + 8).map((r) => r[0]!);
        const lr = learningRate("linear", step, 10, 3, golden10.lr);
        const targets = { margins: new Float32Array(4), labels: new Float32Array(4).fill(1) };
        trainer.step([{ rows: Int32Array.from(rows), ...targets }], lr);
        const expected = stored.subarray(step * head.length, (step + 1) * head.length);
        expect(relativeError(await trainer.head(), expected), `step ${step}`).toBeLessThan(2e-6);
      }
      for (const [step, { batches, gradNorm }] of (await trainer.takeMetrics()).entries()) {
        const { metrics, pairs } = batches[0] ?? expect.fail("a step of no batch");
        const loss = golden10.losses_f64[step]!;
        expect(Math.abs(metrics.loss - loss)).toBeLessThan(1e-5 * (1 + loss));
        expect(Math.abs(gradNorm / golden10.grad_norms_before_clip_f64[step]! - 1)).toBeLessThan(1e-5);
        expect(pairs).toBe(4);
      }
    } finally {
      releaseFeatures(gpu(), features);
    }
  },
);

it("after the first step no buffer and no bind group is created, but those of the first evaluation", async () => {
  const counts: (readonly [number, number])[] = [];
  const options = trainOptions({ batchSize: 4, epochs: 5, logEvery: 1 });
  await runLoop(gpu(), givenPairs(1, 24, 11, 5), normals(2, 24), options, {
    line: () => counts.push([gpu().memory.buffersCreated, gpu().recorder.stats.bindGroupsCreated]),
  });
  // Three steps, of which the last is smaller, then an evaluation, and so on.
  expect(counts.slice(0, 3)).toEqual(new Array(3).fill(counts[0]));
  expect(counts.slice(3)).toEqual(new Array(12).fill(counts[3]));
});

it("rewards of more rows than a binding holds", async () => {
  using _ = windowed().scope();
  const values = normals(3, 300 * 10);
  const head = normals(4, 10);
  using trainer = new HeadTrainer(
    windowed(),
    uploadTensor(windowed(), values, 10, "features"),
    head,
    trainOptions(),
  );
  const rows = Int32Array.from({ length: 500 }, (_, i) => (7 * i) % 300);
  const expected = [...rows].map((row) => head.reduce((sum, w, j) => sum + w * values[10 * row + j]!, 0));
  expect(relativeError(await trainer.rewards(rows), expected)).toBeLessThan(1e-6);
});

it.each([
  ["margins whose loss leaves f32", { margin: 1e39 }, 3],
  ["features that are not finite", { feature: Number.NaN }, 3],
  ["features that overflow", { feature: Number.POSITIVE_INFINITY }, 3],
])(
  "%s: an error names the step, and the weights stay",
  async (_, { margin, feature }: { margin?: number; feature?: number }, bad) => {
    const given = givenPairs(7, 6, 12, 0);
    // Pairs in file order, four a step: pair 9 is in step 3.
    const margins = given.margins.map((m, i) => (i === 9 ? (margin ?? m) : m));
    const features = given.features.map((v, i) => (i === 18 * 6 ? (feature ?? v) : v));
    const options = trainOptions({
      batchSize: 4,
      shuffle: false,
      logEvery: 5,
      epochs: 3,
      schedule: "constant",
    });
    let weights = new Float32Array();
    const run = runLoop(gpu(), { ...given, margins, features }, normals(2, 6), options, {
      failed: async (trainer) => {
        weights = await trainer.head();
      },
    });
    await expect(run).rejects.toThrow(`not finite at step ${bad}; training stopped`);
    const { head } = await runLoop(gpu(), given, normals(2, 6), {
      ...options,
      maxSteps: bad - 1,
      warmupSteps: 1,
    });
    expect([...weights]).toEqual([...head]);
  },
);

it.each([
  [1e30, 0.5],
  [1e38, 0],
])(
  "a learning rate of %d that takes the head past f32 in the last step is an error too",
  async (lr, weightDecay) => {
    for (const held of [0, 3]) {
      const options = trainOptions({
        batchSize: 4,
        maxSteps: 2,
        lr,
        weightDecay,
        warmupSteps: 0,
        schedule: "constant",
      });
      await expect(runLoop(gpu(), givenPairs(8, 6, 8, held), normals(2, 6), options)).rejects.toThrow(
        /not finite (at|after) step [12];/,
      );
    }
  },
);
