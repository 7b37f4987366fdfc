/** @file Gradients of a whole reward model for pairs, read back under the checkpoint's names, and their bounds. */
import { expect } from "vitest";
import { type Item, pack } from "../../../src/data/pack.ts";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { metricColumns } from "../../../src/kernels/metric-columns.ts";
import { type PackedBatch, rowOf } from "../../../src/kernels/packed-batch.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import { gatherRows, linear } from "../../../src/model/operations.ts";
import { readHead } from "../../../src/model/reward-head.ts";
import { type FullOptions, type LoraOptions, TrainableModel } from "../../../src/model/trainable.ts";
import { createTensor, readTensor, type Tensor, uploadTensor } from "../../../src/tensor/tensor.ts";
import { logistic } from "../../../src/train/losses/logistic.ts";

export type Gradients = Map<string, Float32Array>;

/** Both sides of a pair, and where each is read. */
export interface GradientPair {
  readonly sequences: readonly [Int32Array, Int32Array];
  readonly readAt: readonly [number, number];
  readonly margin?: number;
}

export interface StepOptions {
  readonly checkpointing?: boolean;
  readonly dropout?: { readonly seed: number; readonly step: number };
  /** Rows to make room for; default: as many as are used. */
  readonly capacity?: number;
}

export interface PairOptions extends StepOptions {
  readonly centering?: number;
  /** Pairs over which the loss is a mean; default: these. */
  readonly total?: number;
  /** Pairs whose sides share no prompt's rows. */
  readonly apart?: boolean;
}

/** A model whose parameters all learn, or as the options say, with the checkpoint's head. */
export async function loadTrainable(
  gpu: Gpu,
  dir: string,
  options: Partial<FullOptions> | LoraOptions = {},
): Promise<TrainableModel> {
  await using folder = await openModelFolder(dir);
  return await TrainableModel.load(gpu, folder, {
    trainable: "full",
    head: await readHead(folder),
    ...options,
  });
}

/**
 * Forward and backward of one batch; gradients are added to what the arena holds.
 * @param rows of the batch, at which rewards [n, 1] are read
 * @param slope d loss / d rewards [n, 1], on the device
 */
export function backward(
  model: TrainableModel,
  batch: PackedBatch,
  rows: readonly number[],
  slope: (rewards: Tensor) => Tensor,
  { checkpointing = false, dropout, capacity = batch.rows }: StepOptions = {},
): void {
  const { gpu, head } = model;
  if (head === undefined) throw new Error("The model has no reward head");
  using tape = model.tape();
  const on = { gpu, tape };
  const hidden = model.backbone.forward(batch, capacity, { tape, checkpointing, dropout });
  const features = gatherRows(on, hidden, Int32Array.from(rows), capacity);
  tape.release(hidden);
  const rewards = linear(on, features, { weight: head, bias: undefined });
  tape.release(features);
  tape.backward([[rewards, slope(rewards)]]);
}

/** Of the Bradley-Terry loss. @returns the loss */
export async function backwardOfPairs(
  model: TrainableModel,
  pairs: readonly GradientPair[],
  { centering = 0, total = pairs.length, apart = false, ...step }: PairOptions = {},
): Promise<number> {
  const { gpu } = model;
  using _scope = gpu.scope();
  const metrics = createTensor(gpu, 1, metricColumns.count, "metrics");
  const items = pairs.flatMap(({ sequences }): Item[] =>
    apart ? sequences.map((one) => ({ sequences: [one] })) : [{ sequences }],
  );
  const batch = pack(items);
  const rows = [0, 1].flatMap((side) =>
    pairs.map(({ readAt }, i) => rowOf(batch, 2 * i + side, readAt[side] ?? 0)),
  );
  const capacity = step.capacity ?? batch.rows;
  const upload = (values: Float32Array, label: string) => uploadTensor(gpu, values, 1, label, { capacity });
  const margins = Float32Array.from(pairs, (pair) => pair.margin ?? 0);
  const labels = new Float32Array(pairs.length).fill(1);
  backward(
    model,
    batch,
    rows,
    (rewards) =>
      logistic.record(gpu, rewards, {
        margins: upload(margins, "margins"),
        labels: upload(labels, "labels"),
        total,
        centering,
        metrics,
        row: 0,
      }),
    step,
  );
  return (await readTensor(gpu, metrics))[metricColumns.loss] ?? Number.NaN;
}

/** All gradients, by the names under which a checkpoint stores the parameters. */
export async function readGradients(model: TrainableModel): Promise<Gradients> {
  const gradients: Gradients = new Map();
  for (const parameter of model.parameters)
    for (const [name, values] of await model.readParameter(parameter, "gradient"))
      gradients.set(name, values);
  return gradients;
}

/** The gradients of one step that begins with none. */
export async function gradientsOfPairs(
  model: TrainableModel,
  pairs: readonly GradientPair[],
  options: PairOptions = {},
): Promise<{ loss: number; gradients: Gradients }> {
  model.arena.clear("gradient");
  const loss = await backwardOfPairs(model, pairs, options);
  return { loss, gradients: await readGradients(model) };
}

/**
 * All parameters together within 3e-5, each tensor within 1e-4 of its norm plus 1e-6 of the norm of all.
 * @returns the error of all together
 */
export function expectGradients(own: Gradients, truth: ReadonlyMap<string, ArrayLike<number>>): number {
  expect([...own.keys()].sort()).toEqual([...truth.keys()].sort());
  const squares = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v * v, 0);
  const norm = Math.sqrt([...truth.values()].reduce((sum, values) => sum + squares(values), 0));
  expect(norm).toBeGreaterThan(0);
  let all = 0;
  for (const [name, expected] of truth) {
    const values = own.get(name) ?? new Float32Array();
    expect(values.length, name).toBe(expected.length);
    const error = squares(Float64Array.from(expected, (v, i) => v - (values[i] ?? 0)));
    all += error;
    expect(Math.sqrt(error), name).toBeLessThanOrEqual(1e-4 * Math.sqrt(squares(expected)) + 1e-6 * norm);
  }
  expect(Math.sqrt(all) / norm).toBeLessThanOrEqual(3e-5);
  return Math.sqrt(all) / norm;
}
