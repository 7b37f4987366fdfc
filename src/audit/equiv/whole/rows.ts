/**
 * @file Whole language models: DPO's loss and the gradients of all parameters on the trainer's path and on the paper's
 * (paths.ts), and where 50 steps of either lead.
 */
import type { Gpu } from "../../../gpu/gpu.ts";
import { metricColumns } from "../../../kernels/metric-columns.ts";
import { openModelFolder } from "../../../model/model-folder.ts";
import { TrainableModel } from "../../../model/trainable.ts";
import { createTensor } from "../../../tensor/tensor.ts";
import type { DifferenceLoss } from "../../../train/losses/loss.ts";
import { Optimizer } from "../../../train/optimizer.ts";
import type { Candidate } from "../candidates.ts";
import { type EquivRow, equivRow, largest } from "../row.ts";
import {
  gradientsOf,
  type PathOptions,
  type PathStep,
  replyLogProbs,
  separatePath,
  sharedPath,
  type WholeBatch,
  wholeBatch,
} from "./paths.ts";

/** What float32 paths may differ by (see test/goldens/README.md). */
export const wholeBounds = { loss: 1e-5, gradients: 3e-5, gradient: 1e-4, floor: 1e-6 } as const;

const beta = 0.1;
const run = { steps: 50, lr: 1e-4 } as const;
/** Pairs that a step sees, and tokens that prompts and replies are cut to, so that it takes seconds on a CPU. */
const size = { pairs: 3, tokens: 10 } as const;

/** @param dir folder of a causal LM with float32 weights */
export async function wholeModelRows(
  gpu: Gpu,
  dir: string,
  prompts: readonly (readonly Candidate[])[],
  loss: DifferenceLoss,
): Promise<EquivRow[]> {
  await using folder = await openModelFolder(dir);
  const load = () => TrainableModel.load(gpu, folder, { trainable: "full", lmHead: true });
  using shared = await load();
  using separate = await load();
  const batch = wholeBatch(prompts.slice(0, size.pairs).map(([w, l]) => [cut(w!), cut(l!)] as const));
  const options = { reference: await replyLogProbs(shared, batch), beta };
  const sharedStep = () => sharedPath(shared, loss, batch, options);
  const first = await comparePaths(shared, loss, batch, options);
  const before = await masters(shared);
  const own = await train(shared, sharedStep);
  const theirs = await train(separate, () => separatePath(separate, batch, options));
  const last = await comparePaths(shared, loss, batch, options);
  const [a, b] = [await masters(shared), await masters(separate)];
  const { parameters } = shared;
  const of = `of ${size.pairs} pairs and ${parameters.length} tensors of parameters`;
  return [
    row(
      "at step 0 the trainer's loss is ln 2 to the bit",
      Math.abs(first.shared.loss - Math.fround(Math.LN2)),
      0,
    ),
    row("at step 0 all rewards are 0", largest(first.shared.rewards.map(Math.abs)), 0),
    ...agreement("at step 0", first, of),
    ...agreement(`after ${run.steps} steps`, last, of),
    row(
      `${run.steps} steps on either path: largest difference of their losses, relative to 1 + loss`,
      largest(own.map((l, i) => Math.abs(l - theirs[i]!) / (1 + theirs[i]!))),
      1e-4,
      `from ${own[0]!.toFixed(4)} to ${own.at(-1)!.toFixed(4)}; AdamW makes full steps of gradients that are rounding noise`,
    ),
    row(
      `${run.steps} steps on either path: how far apart the weights end, relative to how far they went`,
      distance(a, b) / distance(a, before),
      1e-3,
      "the drift; nothing in the algebra makes it 0 in float32",
    ),
    ...(await wholeControls(shared, loss, batch, options)),
  ];
}

const row = (claim: string, value: number, bound: number, detail?: string) =>
  equivRow("independent", `whole language model, float32: ${claim}`, value, bound, detail);

interface Compared {
  readonly shared: PathStep;
  readonly loss: number;
  readonly rewards: number;
  /** Of all parameters together, relative. */
  readonly gradients: number;
  /** The worst tensor's distance as a share of what it may be. */
  readonly worst: number;
}

function agreement(when: string, found: Compared, detail: string): EquivRow[] {
  return [
    row(
      `${when}, the trainer's loss of β log(π/π_ref) = DPO's of log π, relative to 1 + loss`,
      found.loss,
      wholeBounds.loss,
    ),
    row(
      `${when}, the gradients of all parameters together, relative`,
      found.gradients,
      wholeBounds.gradients,
      detail,
    ),
    row(`${when}, the worst tensor's gradient, as a share of what it may be off by`, found.worst, 1),
  ];
}

/** Both paths on one model as it is. */
export async function comparePaths(
  model: TrainableModel,
  loss: DifferenceLoss,
  batch: WholeBatch,
  options: PathOptions,
  broken: Parameters<typeof separatePath>[3] = {},
): Promise<Compared> {
  const shared = await sharedPath(model, loss, batch, options);
  const own = await gradientsOf(model);
  const separate = await separatePath(model, batch, options, broken);
  const theirs = await gradientsOf(model);
  return {
    shared,
    loss: Math.abs(shared.loss - separate.loss) / (1 + separate.loss),
    rewards: largest(shared.rewards.map((r, i) => Math.abs(r - separate.rewards[i]!))),
    ...gradientDistance(own, theirs),
  };
}

export function gradientDistance(
  found: ReadonlyMap<string, ArrayLike<number>>,
  truth: ReadonlyMap<string, ArrayLike<number>>,
): Pick<Compared, "gradients" | "worst"> {
  const norms = [...truth].map(([name, values]) => ({
    apart: norm(Float64Array.from(values, (v, i) => v - found.get(name)![i]!)),
    size: norm(values),
  }));
  const all = Math.hypot(...norms.map(({ size: s }) => s));
  return {
    gradients: Math.hypot(...norms.map(({ apart }) => apart)) / all,
    worst: largest(
      norms.map(({ apart, size: s }) => apart / (wholeBounds.gradient * s + wholeBounds.floor * all)),
    ),
  };
}

/** One thing told wrongly each, on weights that have left the reference. */
async function wholeControls(
  model: TrainableModel,
  loss: DifferenceLoss,
  batch: WholeBatch,
  options: PathOptions,
): Promise<EquivRow[]> {
  const control = (claim: string, value: number) =>
    equivRow("control", `whole language model, ${claim}`, value, wholeBounds.gradients);
  const without = await comparePaths(model, loss, batch, options, { reference: "none" });
  const doubled = await comparePaths(model, loss, batch, options, { beta: "doubled on the rejected reply" });
  return [
    control("no reference: the gradients of all parameters", without.gradients),
    control("twice β on the rejected reply: the gradients of all parameters", doubled.gradients),
  ];
}

/** Losses of the steps, each before its update. */
async function train(model: TrainableModel, path: () => Promise<PathStep>): Promise<number[]> {
  const { gpu, arena } = model;
  using optimizer = new Optimizer(gpu, arena);
  const metrics = createTensor(gpu, 1, metricColumns.count, "metrics", { persistent: true });
  const losses: number[] = [];
  try {
    for (let step = 1; step <= run.steps; step++) {
      losses.push((await path()).loss);
      gpu.recorder.clear(metrics.buffer, 0, metrics.buffer.size);
      optimizer.step({ lr: run.lr, step, maxGradNorm: 0, weightDecay: 0, metrics, row: 0 });
    }
    return losses;
  } finally {
    gpu.release(metrics.buffer);
  }
}

/** All weights, one after the other. */
async function masters({ parameters, arena }: TrainableModel): Promise<Float32Array[]> {
  const weights: Float32Array[] = [];
  for (const { name } of parameters) weights.push(await arena.read("master", name));
  return weights;
}

function distance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  return Math.hypot(...a.map((own, i) => norm(Float64Array.from(own, (v, k) => v - b[i]![k]!))));
}

function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}

/** The prompt's last tokens and the reply's first. */
function cut({ ids, replyStart }: Candidate): Candidate {
  const first = Math.max(0, replyStart - size.tokens);
  return { ids: ids.slice(first, replyStart + size.tokens), replyStart: replyStart - first };
}
