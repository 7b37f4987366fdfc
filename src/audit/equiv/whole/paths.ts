/**
 * @file DPO's loss and gradients of a whole language model on two paths. The shared one is the trainer's: implicit rewards,
 * then the loss that reward models are trained by. The separate one knows log-probabilities alone: the paper's formula in
 * float64 on the host (dpo-paper.ts) says d loss / d log π(y|x) of each reply, and the tape takes it from there. So what
 * the two share is the model and its log-probabilities, and what they don't is rewards and loss.
 */
import { metricColumns } from "../../../kernels/metric-columns.ts";
import { replyEntries } from "../../../model/reply-entries.ts";
import { replyLogps } from "../../../model/reply-logps.ts";
import type { TrainableModel } from "../../../model/trainable.ts";
import type { Tape } from "../../../tensor/tape.ts";
import { createTensor, readTensor, type Tensor, uploadTensor } from "../../../tensor/tensor.ts";
import type { DifferenceLoss } from "../../../train/losses/loss.ts";
import { type MicroBatch, microBatchOf } from "../../../train/micro-batches.ts";
import { ImplicitReward } from "../../../train/rewards/implicit.ts";
import { implicitForms } from "../../../train/rewards/implicit-form.ts";
import type { Candidate } from "../candidates.ts";
import { dpoLoss, dpoWeight, type FourLogProbs } from "../dpo-paper.ts";

/** n pairs, packed. */
export interface WholeBatch {
  readonly part: MicroBatch;
  /** [2 n] sequences of the batch: all chosen, then all rejected. */
  readonly order: Int32Array;
}

export function wholeBatch(
  pairs: readonly (readonly [chosen: Candidate, rejected: Candidate])[],
): WholeBatch {
  const items = pairs.map((pair) => ({
    sequences: pair.map(({ ids }) => ids),
    replyStarts: pair.map(({ replyStart }) => replyStart),
  }));
  const n = pairs.length;
  return {
    part: microBatchOf(items, [...items.keys()]),
    order: Int32Array.from({ length: 2 * n }, (_, i) => (i < n ? 2 * i : 2 * (i - n) + 1)),
  };
}

/** What a path says of a batch; the gradient of the mean loss is left in the model's arena. */
export interface PathStep {
  /** Mean over pairs. */
  readonly loss: number;
  /** [2 n] in the batch's order: β (log π - log π_ref) as the path has them. */
  readonly rewards: Float64Array;
}

/** [2 n] log π(y|x) of each reply, as f32. */
export async function replyLogProbs(model: TrainableModel, batch: WholeBatch): Promise<Float32Array> {
  using _scope = model.gpu.scope();
  return await readTensor(model.gpu, logProbs(model, undefined, batch));
}

function logProbs(model: TrainableModel, tape: Tape | undefined, { part, order }: WholeBatch): Tensor {
  const { gpu, backbone } = model;
  const hidden = backbone.forward(part.batch, part.batch.rows, { tape });
  const starts = part.sequences.map(({ replyStart }) => replyStart);
  const entries = replyEntries(part.batch, starts, order);
  const { sums } = replyLogps({ gpu, tape }, hidden, vocabularyOf(model), entries);
  tape?.release(hidden);
  return sums;
}

function vocabularyOf({ lmHead }: TrainableModel): Tensor {
  if (lmHead === undefined) throw new Error("the model was loaded without its vocabulary head");
  return lmHead;
}

export interface PathOptions {
  /** [2 n] log π_ref(y|x) in the batch's order, as f32. */
  readonly reference: Float32Array;
  readonly beta: number;
}

/** The trainer's own reward and loss. */
export async function sharedPath(
  model: TrainableModel,
  loss: DifferenceLoss,
  batch: WholeBatch,
  { reference, beta }: PathOptions,
): Promise<PathStep> {
  const { gpu, backbone, arena } = model;
  const { part, order } = batch;
  const n = order.length / 2;
  const logps = new Map(Array.from(order, (k, i) => [part.sequences[k]!.ids, reference[i]!] as const));
  using reward = new ImplicitReward(
    { ...implicitForms.dpo, beta },
    (ids) => logps.get(ids) ?? Number.NaN,
    false,
  );
  arena.clear("gradient");
  using _scope = gpu.scope();
  const metrics = createTensor(gpu, 1, metricColumns.count, "metrics");
  const kept = createTensor(gpu, 2 * n, 1, "rewards");
  {
    using tape = model.tape();
    const hidden = backbone.forward(part.batch, part.batch.rows, { tape });
    const capacity = part.batch.rows;
    const rewards = reward.forward(model, tape, { ...part, order, hidden, capacity, rewardCapacity: 2 * n });
    gpu.recorder.copy(rewards.buffer, 0, kept.buffer.raw, 0, 2 * n * rewards.rowBytes);
    kept.buffer.lastRecording = gpu.recorder.recording;
    const column = (value: number, label: string) =>
      uploadTensor(gpu, new Float32Array(n).fill(value), 1, label);
    const targets = {
      margins: column(0, "margins"),
      labels: column(1, "labels"),
      centering: 0,
      metrics,
      row: 0,
    };
    tape.backward([[rewards, loss.record(gpu, rewards, targets)]]);
  }
  return {
    loss: (await readTensor(gpu, metrics))[metricColumns.loss]!,
    rewards: Float64Array.from(await readTensor(gpu, kept)),
  };
}

/** What the paper's formula is told wrongly, for controls. */
export interface Broken {
  readonly reference?: "none";
  readonly beta?: "doubled on the rejected reply";
}

/** The paper's formula, in four log-probabilities. */
export async function separatePath(
  model: TrainableModel,
  batch: WholeBatch,
  { reference, beta }: PathOptions,
  broken: Broken = {},
): Promise<PathStep> {
  const { gpu, arena } = model;
  const n = batch.order.length / 2;
  arena.clear("gradient");
  using tape = model.tape();
  const sums = logProbs(model, tape, batch);
  const logps = await readTensor(gpu, sums);
  const of = (i: number) => (broken.reference === "none" ? 0 : reference[i]!);
  const fours = Array.from(
    { length: n },
    (_, i): FourLogProbs => ({
      policyChosen: logps[i]!,
      policyRejected: logps[n + i]!,
      referenceChosen: of(i),
      referenceRejected: of(n + i),
    }),
  );
  const factor = broken.beta === undefined ? 1 : 2;
  const slopes = Float32Array.from({ length: 2 * n }, (_, k) => {
    const weight = (beta * dpoWeight(fours[k % n]!, beta)) / n;
    return k < n ? -weight : factor * weight;
  });
  tape.backward([[sums, uploadTensor(gpu, slopes, 1, "d loss / d log π")]]);
  return {
    loss: fours.reduce((sum, four) => sum + dpoLoss(four, beta), 0) / n,
    rewards: Float64Array.from(logps, (logp, i) => beta * (logp - of(i))),
  };
}

/** The arena's gradients, by parameter. */
export async function gradientsOf(model: TrainableModel): Promise<Map<string, Float32Array>> {
  const gradients = new Map<string, Float32Array>();
  for (const { name } of model.parameters) gradients.set(name, await model.arena.read("gradient", name));
  return gradients;
}
