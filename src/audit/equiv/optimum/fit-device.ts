/**
 * @file Both objectives on a table, in float32 on the device with AdamW: the rewards by the program's own trainer, on
 * features that are one-hot, so that the head is the table; the policy by DPO's kernel.
 */
import type { Gpu } from "../../../gpu/gpu.ts";
import { dpoTableGradient } from "../../../kernels/dpo.ts";
import { metricColumns } from "../../../kernels/metric-columns.ts";
import { ParameterArena } from "../../../tensor/parameters.ts";
import { createTensor, uploadTensor } from "../../../tensor/tensor.ts";
import { HeadTrainer, type StepRows } from "../../../train/head-trainer.ts";
import { Optimizer } from "../../../train/optimizer.ts";
import { trainDefaults } from "../../../train/options.ts";
import { learningRate } from "../../../train/schedule.ts";
import type { Wins } from "./comparisons.ts";

const steps = 600;
const rate = (step: number) => learningRate("cosine", step, steps, 0, 0.1);
const stepsBetweenWaits = 50;

/** Rewards [prompts][K] by the trainer's loss. */
export async function fitRewardsOnDevice(gpu: Gpu, prompts: readonly Wins[]): Promise<number[][]> {
  using _scope = gpu.scope();
  const K = prompts[0]?.length ?? 0;
  const cells = prompts.length * K;
  const oneHot = Float32Array.from({ length: cells ** 2 }, (_, i) => (i % (cells + 1) === 0 ? 1 : 0));
  const batch = stepRows(prompts);
  const settings = {
    ...trainDefaults,
    reward: undefined,
    batchSize: batch.labels.length,
    maxGradNorm: 0,
    logEvery: stepsBetweenWaits,
  };
  const features = uploadTensor(gpu, oneHot, cells, "one-hot features");
  using trainer = new HeadTrainer(gpu, features, new Float32Array(cells), settings);
  for (let step = 0; step < steps; step++) {
    trainer.step([batch], rate(step));
    if ((step + 1) % stepsBetweenWaits === 0) await trainer.takeMetrics();
  }
  const head = await trainer.head();
  return prompts.map((_, x) => [...head.subarray(x * K, (x + 1) * K)]);
}

/** Pairs that were compared, as steps take them: whole numbers of wins as so many pairs, probabilities as labels. */
function stepRows(prompts: readonly Wins[]): StepRows {
  const pairs: { readonly w: number; readonly l: number; readonly label: number }[] = [];
  for (const [x, wins] of prompts.entries()) {
    for (let i = 0; i < wins.length; i++) {
      for (let j = i + 1; j < wins.length; j++) {
        const n = wins[i]![j]! + wins[j]![i]!;
        const pair = { w: x * wins.length + i, l: x * wins.length + j, label: wins[i]![j]! / n };
        for (let copy = 0; copy < Math.round(n); copy++) pairs.push(pair);
      }
    }
  }
  return {
    rows: Int32Array.from([...pairs.map(({ w }) => w), ...pairs.map(({ l }) => l)]),
    margins: new Float32Array(pairs.length),
    labels: Float32Array.from(pairs, ({ label }) => label),
  };
}

/** log π [prompts][K] by DPO, up to a constant for each prompt. */
export async function fitPolicyOnDevice(
  gpu: Gpu,
  prompts: readonly Wins[],
  logReference: readonly (readonly number[])[],
  beta: number,
): Promise<number[][]> {
  using _scope = gpu.scope();
  const K = prompts[0]?.length ?? 0;
  const name = "policy logits";
  using arena = new ParameterArena(gpu, [{ name, rows: prompts.length, cols: K }]);
  using optimizer = new Optimizer(gpu, arena);
  const reference = Float32Array.from(logReference.flat());
  arena.write("master", name, reference);
  const metrics = createTensor(gpu, 1, metricColumns.count, "metrics");
  gpu.recorder.clear(metrics.buffer, 0, metrics.buffer.size);
  const weights = prompts.flat(2);
  const table = {
    logits: arena.param(name),
    logReference: uploadTensor(gpu, reference, K, "log reference"),
    wins: uploadTensor(gpu, Float32Array.from(weights), K, "wins"),
    beta,
    total: weights.reduce((sum, weight) => sum + weight, 0),
  };
  for (let step = 0; step < steps; step++) {
    dpoTableGradient(gpu, table, arena.gradient(name));
    optimizer.step({
      lr: rate(step) / beta,
      step: step + 1,
      maxGradNorm: 0,
      weightDecay: 0,
      metrics,
      row: 0,
    });
    if ((step + 1) % stepsBetweenWaits === 0) await gpu.finish();
  }
  const logits = await arena.read("master", name);
  return prompts.map((_, x) => [...logits.subarray(x * K, (x + 1) * K)]);
}
