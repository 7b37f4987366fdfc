/** @file Ten steps of the head against torch's: loss, gradient, optimiser and schedule on the device. */
import { expect, it } from "vitest";
import { linearWeightGradient } from "../../src/kernels/linear-gradient.ts";
import { metricColumns } from "../../src/kernels/metric-columns.ts";
import { parseConfig } from "../../src/model/config.ts";
import { ParameterArena } from "../../src/tensor/parameters.ts";
import { createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { logistic } from "../../src/train/losses/logistic.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { learningRate } from "../../src/train/schedule.ts";
import { pooledIndex, referenceForward } from "../reference/forward.ts";
import { goldenJson, goldenModel, goldenTensors } from "../reference/goldens.ts";
import { linear } from "../reference/layers.ts";
import { readModelFolder } from "../reference/safetensors.ts";
import { useGpu } from "../support/gpu.ts";
import { relativeError } from "../support/numbers.ts";

const gpu = useGpu();
const golden = goldenTensors("adamw-head");
const config = parseConfig(goldenJson("adamw-head", "model/config.json"), "config.json");
const weights = readModelFolder(goldenModel("adamw-head"));
const width = config.hiddenSize;
const { trajectories } = goldenJson<{
  trajectories: Record<
    string,
    { lr: number; weight_decay: number; losses_f64: number[]; grad_norms_before_clip_f64: number[] }
  >;
}>("adamw-head", "manifest.json");

/** [8 * width] of each of the four batches, from the float64 backbone. */
const features = [0, 1, 2, 3].map((batch) => {
  const ids = golden.get(`train/${batch}/input_ids`);
  const length = ids.shape[1] ?? 0;
  const rows = Array.from({ length: ids.shape[0] ?? 0 }, (_, row) => {
    const padded = ids.data.subarray(row * length, (row + 1) * length);
    const index = pooledIndex(padded, config.padTokenId ?? -1);
    const states = referenceForward(config, weights, padded.subarray(0, index + 1)).hiddenStates;
    return [...(states[config.layers]?.subarray(index * width) ?? [])];
  });
  return Float32Array.from(rows.flat());
});

it.each(Object.entries(trajectories))(
  "%s: ten steps of torch's AdamW on the head",
  async (name, trajectory) => {
    using _ = gpu().scope();
    using arena = new ParameterArena(gpu(), [{ name: "score.weight", rows: 1, cols: width }]);
    using optimizer = new Optimizer(gpu(), arena);
    arena.write("master", "score.weight", Float32Array.from(weights.get("score.weight")?.data ?? []));
    const metrics = createTensor(gpu(), 10, metricColumns.count, "metrics");
    const stored = golden.get(`${name}/head_after_each_step.f64`).data;
    for (let step = 0; step < 10; step++) {
      const batch = features[step % 4] ?? new Float32Array();
      const head = await arena.read("master", "score.weight");
      const rewards = Float32Array.from(linear(batch, head, width));
      const gradient = logistic.record(gpu(), uploadTensor(gpu(), rewards, 1, "rewards"), {
        margins: uploadTensor(gpu(), new Float32Array(rewards.length / 2), 1, "margins"),
        labels: uploadTensor(gpu(), new Float32Array(rewards.length / 2).fill(1), 1, "labels"),
        centering: 0,
        metrics,
        row: step,
      });
      linearWeightGradient(
        gpu(),
        gradient,
        uploadTensor(gpu(), batch, width, "features"),
        arena.gradient("score.weight"),
      );
      const lr = learningRate("linear", step, 10, 3, trajectory.lr);
      optimizer.step({
        lr,
        step: step + 1,
        maxGradNorm: 0,
        weightDecay: trajectory.weight_decay,
        metrics,
        row: step,
      });
      const expected = stored.subarray(step * width, (step + 1) * width);
      expect(
        relativeError(await arena.read("master", "score.weight"), expected),
        `step ${step}`,
      ).toBeLessThan(2e-6);
    }
    const rows = await readTensor(gpu(), metrics);
    for (let step = 0; step < 10; step++) {
      const at = (column: number) => rows[step * metricColumns.count + column] ?? Number.NaN;
      const loss = trajectory.losses_f64[step] ?? Number.NaN;
      expect(Math.abs(at(metricColumns.loss) - loss)).toBeLessThan(1e-5 * (1 + loss));
      const norm = trajectory.grad_norms_before_clip_f64[step] ?? Number.NaN;
      expect(Math.abs(at(metricColumns.gradNorm) / norm - 1)).toBeLessThan(1e-5);
    }
  },
);
