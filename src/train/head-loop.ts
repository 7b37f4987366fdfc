/** @file The head's training loop on cached features: steps, logged metrics, an evaluation per epoch, the best head kept. */
import { RmtrainError } from "../errors.ts";
import type { Pair } from "./dataset.ts";
import { type PairMetrics, pairMetrics } from "./evaluate.ts";
import type { HeadTrainer, StepRows } from "./head-trainer.ts";
import { combine, type TrainLine } from "./metrics.ts";
import type { TrainOptions } from "./options.ts";
import { batches, planSteps } from "./plan.ts";
import { learningRate } from "./schedule.ts";

export interface HeadLoop {
  readonly train: readonly Pair[];
  /** Feature rows [chosen, rejected] of each training pair. */
  readonly trainRows: readonly Int32Array[];
  /** Empty: no evaluation, and the last head is kept. */
  readonly eval: readonly Pair[];
  readonly evalRows: readonly Int32Array[];
  readonly options: TrainOptions;
  readonly onTrain: (line: TrainLine, totalSteps: number) => Promise<void>;
  readonly onEval: (step: number, epoch: number, metrics: PairMetrics) => Promise<void>;
}

export interface BestHead {
  readonly step: number;
  readonly totalSteps: number;
  /** [H] */
  readonly head: Float32Array<ArrayBuffer>;
  /** Rewards of the held-out pairs under that head, chosen [n] then rejected [n]. */
  readonly evalRewards: Float32Array | undefined;
}

/** @throws RmtrainError naming the step at which the loss, the gradient or the head stopped being finite */
export async function trainHead(trainer: HeadTrainer, loop: HeadLoop): Promise<BestHead> {
  const { options, train } = loop;
  const plan = planSteps(train.length, options);
  const evaluation = evaluator(trainer, loop);
  const { totalSteps } = plan;
  let best: BestHead | undefined;
  let bestLoss = Number.POSITIVE_INFINITY;
  let tokens = 0;
  let step = 0;
  const evaluateNow = async (epoch: number) => {
    if (evaluation === undefined) return;
    const { metrics, rewards } = await evaluation(step);
    await loop.onEval(step, epoch, metrics);
    if (best !== undefined && metrics.loss >= bestLoss) return;
    best = { step, totalSteps, head: await finiteHead(trainer, step), evalRewards: rewards };
    bestLoss = metrics.loss;
  };
  for (const indices of batches(train.length, plan, options)) {
    const lr = learningRate(options.schedule, step, totalSteps, plan.warmupSteps, options.lr);
    trainer.step(stepRows(loop, indices), lr);
    for (const i of indices) tokens += pairTokens(train[i]!);
    step++;
    const epoch = step / plan.stepsPerEpoch;
    const last = step === totalSteps;
    if (step % options.logEvery === 0 || last) {
      const line = { step, epoch, ...(await drain(trainer)), learning_rate: lr, num_tokens: tokens };
      await loop.onTrain(line, totalSteps);
    }
    if (step % plan.stepsPerEpoch === 0 || last) await evaluateNow(epoch);
  }
  if (totalSteps === 0) await evaluateNow(0);
  return best ?? { step, totalSteps, head: await finiteHead(trainer, step), evalRewards: undefined };
}

/** The current head; a step whose loss and gradient are finite may still take the weights past the largest f32. */
async function finiteHead(trainer: HeadTrainer, step: number): Promise<Float32Array<ArrayBuffer>> {
  const head = await trainer.head();
  if (!head.every(Number.isFinite)) await stop(trainer, "The head's weights", step);
  return head;
}

/** Names the step whose loss or gradient was not finite, where that is what happened before. */
async function stop(trainer: HeadTrainer, what: string, step: number): Promise<never> {
  await trainer.takeMetrics();
  throw new RmtrainError(`${what} are not finite after step ${step}; nothing was saved. Lower --lr.`);
}

function stepRows({ train, trainRows }: HeadLoop, indices: Int32Array): StepRows {
  const side = (reply: number) => Array.from(indices, (i) => trainRows[i]![reply]!);
  return {
    rows: Int32Array.from([...side(0), ...side(1)]),
    margins: Float32Array.from(indices, (i) => train[i]!.margin),
  };
}

function pairTokens({ item }: Pair): number {
  return item.sequences.reduce((sum, ids) => sum + ids.length, 0);
}

/** The metrics of the steps since the last call, put together. */
async function drain(trainer: HeadTrainer): Promise<PairMetrics & { readonly grad_norm: number }> {
  const steps = await trainer.takeMetrics();
  const grad_norm = steps.reduce((sum, s) => sum + s.gradNorm, 0) / steps.length;
  return { ...combine(steps), grad_norm };
}

function evaluator(trainer: HeadTrainer, { eval: pairs, evalRows, options }: HeadLoop) {
  if (pairs.length === 0) return undefined;
  const rows = Int32Array.from([0, 1].flatMap((reply) => evalRows.map((r) => r[reply]!)));
  const margins = pairs.map((p) => p.margin);
  return async (step: number) => {
    const rewards = await trainer.rewards(rows);
    if (!rewards.every(Number.isFinite)) await stop(trainer, "The held-out pairs' rewards", step);
    const sides = { chosen: rewards.subarray(0, pairs.length), rejected: rewards.subarray(pairs.length) };
    return { rewards, metrics: pairMetrics(sides, margins, options.centerRewardsCoefficient) };
  };
}
