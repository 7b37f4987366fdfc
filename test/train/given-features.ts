/** @file Pairs with given features, for tests of the head's loop: no backbone, no tokenizer. */
import type { Gpu } from "../../src/gpu/gpu.ts";
import { type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import type { Pair } from "../../src/train/dataset.ts";
import type { PairRewards } from "../../src/train/evaluate.ts";
import { pairForm } from "../../src/train/forms/pairs.ts";
import { HeadRun } from "../../src/train/head-run.ts";
import { HeadTrainer } from "../../src/train/head-trainer.ts";
import type { EvalLine, TrainLine } from "../../src/train/metrics.ts";
import { evalLine } from "../../src/train/metrics.ts";
import { pairObjective } from "../../src/train/objectives.ts";
import { type TrainOptions, trainDefaults } from "../../src/train/options.ts";
import { beginning } from "../../src/train/state/progress.ts";
import { trainLoop } from "../../src/train/train-loop.ts";
import type { TrainerState, Weights } from "../../src/train/trainer.ts";
import { normals } from "../support/numbers.ts";

export interface GivenPairs {
  readonly width: number;
  /** Rows 2 i (chosen) and 2 i + 1 (rejected) of pair i; training pairs first. */
  readonly features: Float32Array;
  readonly margins: readonly number[];
  /** Absent: 1 for all. */
  readonly labels?: readonly number[];
  readonly train: number;
  readonly eval: number;
}

export function givenPairs(seed: number, width: number, train: number, held: number): GivenPairs {
  const pairs = train + held;
  const features = normals(seed, 2 * pairs * width, 0.5);
  // A direction to learn: chosen replies lie a little further along the first column.
  for (let i = 0; i < pairs; i++) features[2 * i * width] = (features[2 * i * width] ?? 0) + 1;
  return { width, features, margins: [...normals(seed + 1, pairs, 0.3)], train, eval: held };
}

export function trainOptions(options: Partial<TrainOptions> = {}): TrainOptions {
  return { ...trainDefaults, model: "", data: "", out: "", ...options };
}

/** A pair whose sequences have 2 and 3 tokens. */
const pair = (margin: number, label: number): Pair => ({
  record: {
    where: "given",
    content: {
      kind: "ids",
      prompt: [],
      replies: [
        [1, 2],
        [1, 2, 3],
      ],
    },
    extra: {},
  },
  item: {
    sequences: [Int32Array.of(1, 2), Int32Array.of(1, 2, 3)],
    truncated: [false, false],
    dropped: false,
    identical: false,
    whole: { lengths: [2, 3], identical: false },
  },
  margin,
  label,
  replyStarts: [1, 1],
});

/** A head of the run and the held-out pairs' rewards under it. */
export interface KeptHead {
  readonly step: number;
  readonly head: Float32Array;
  readonly rewards: PairRewards | undefined;
}

export interface Ran {
  readonly totalSteps: number;
  readonly best: KeptHead;
  readonly last: KeptHead;
  /** The last head, whichever was kept. */
  readonly head: Float32Array;
  readonly lines: readonly TrainLine[];
  readonly evals: readonly EvalLine[];
}

export interface Watch {
  readonly line?: (line: TrainLine) => void;
  readonly failed?: (trainer: HeadTrainer) => Promise<void>;
}

/** Runs the loop on given features from the head [width]. */
export async function runLoop(
  gpu: Gpu,
  given: GivenPairs,
  head: Float32Array,
  options: TrainOptions,
  watch: Watch = {},
): Promise<Ran> {
  using _ = gpu.scope();
  const table: Tensor = uploadTensor(gpu, given.features, given.width, "features");
  using trainer = new HeadTrainer(gpu, table, head, options);
  const rows = given.margins.map((_, i) => Int32Array.of(2 * i, 2 * i + 1));
  const pairs = given.margins.map((margin, i) => pair(margin, given.labels?.[i] ?? 1));
  const own = {
    form: pairForm(pairObjective(options), options.centerRewardsCoefficient),
    train: pairs.slice(0, given.train),
    trainRows: rows.slice(0, given.train),
    eval: pairs.slice(given.train),
    evalRows: rows.slice(given.train),
  };
  const run = new HeadRun(trainer, own, options);
  const lines: TrainLine[] = [];
  const evals: EvalLine[] = [];
  let saved: TrainerState | undefined;
  try {
    const trained = await trainLoop(run, {
      train: own.train,
      options,
      from: beginning,
      onSave: async (state) => {
        saved = state;
        return "given";
      },
      reload: async () => saved ?? (await trainer.state()),
      onTrain: async (line) => {
        lines.push(line);
        watch.line?.(line);
      },
      onEval: async (step, epoch, { metrics }) => {
        evals.push(evalLine(step, epoch, metrics));
      },
    });
    const kept = async ({ step, weights }: { readonly step: number; readonly weights: Weights }) => {
      const { values } = [...weights.values()][0]!;
      const rewards = await run.heldOutRewards(step, values);
      return { step, head: values, rewards: rewards && own.form.sides(rewards) };
    };
    const { totalSteps } = trained;
    const last = await kept(trained.last);
    const best = trained.best === trained.last ? last : await kept(trained.best);
    return { totalSteps, best, last, head: await trainer.head(), lines, evals };
  } catch (error) {
    await watch.failed?.(trainer);
    throw error;
  }
}
