/** @file Log-probabilities of replies under a causal LM on the device, and the features that a reward head reads. */
import type { Random } from "../../data/random.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { gatherRows } from "../../kernels/embedding.ts";
import { type PackedBatch, rowOf } from "../../kernels/packed-batch.ts";
import type { Backbone } from "../../model/backbone.ts";
import { loadLmHead, logits } from "../../model/lm-head.ts";
import { loadBackbone } from "../../model/load.ts";
import { openModelFolder } from "../../model/model-folder.ts";
import { WeightLoader } from "../../model/weight-loader.ts";
import { readTensor, type Tensor, uploadTensor } from "../../tensor/tensor.ts";
import { type BatchOfItems, defaultBatchTokens, runBatches } from "../../train/run-batches.ts";
import type { Candidate } from "./candidates.ts";

/** A reply y to a prompt x under two causal LMs that share a backbone. */
export interface ScoredReply {
  /** log π(y|x) of the model as it is: float64 sums of the log-softmax of its float32 logits. */
  readonly logProb: number;
  /** log π(y|x) of the same model with another vocabulary head. */
  readonly otherLogProb: number;
  /** Tokens of y. */
  readonly tokens: number;
  /** [H] The hidden state at y's last token. */
  readonly features: Float32Array;
}

/**
 * @param dir folder of a causal LM with float32 weights
 * @param random of the other vocabulary head: each token's weights times 1 + 0.2 z, z standard normal
 * @returns [prompts][candidates]
 */
export async function scoreReplies(
  gpu: Gpu,
  dir: string,
  prompts: readonly (readonly Candidate[])[],
  random: Random,
): Promise<ScoredReply[][]> {
  await using folder = await openModelFolder(dir);
  const { backbone } = await loadBackbone(gpu, folder);
  const head = await loadLmHead(new WeightLoader(gpu, folder.checkpoint, folder.config), backbone);
  const other = await disturbed(gpu, head.weight, random);
  const scored: ScoredReply[][] = prompts.map(() => []);
  const items = prompts.map((replies) => ({ sequences: replies.map(({ ids }) => ids) }));
  try {
    const run = { batchTokens: defaultBatchTokens };
    const repliesOf = ({ items: own }: BatchOfItems) =>
      own.flatMap((x) => prompts[x]!.map((candidate) => ({ x, candidate })));
    await runBatches(backbone, items, run, {
      name: "logits",
      record: (own, hidden) => {
        const replies = repliesOf(own).map(({ candidate }) => candidate);
        return recordRows(backbone, own.batch, hidden, [head.weight, other], replies);
      },
      take: async (recorded, own) => {
        const replies = repliesOf(own);
        const rows = await readRows(
          gpu,
          recorded,
          replies.map(({ candidate }) => candidate),
        );
        for (const [n, { x }] of replies.entries()) scored[x]!.push(rows[n]!);
      },
    });
    return scored;
  } finally {
    if (head.owned) gpu.release(head.weight.buffer);
    gpu.release(other.buffer);
    backbone.release();
  }
}

async function disturbed(gpu: Gpu, weight: Tensor, random: Random): Promise<Tensor> {
  const values = (await readTensor(gpu, weight)).slice();
  for (let row = 0; row < weight.rows; row++) {
    const factor = 1 + 0.2 * random.normal();
    for (let k = 0; k < weight.cols; k++) values[row * weight.cols + k]! *= factor;
  }
  return uploadTensor(gpu, values, weight.cols, "other vocabulary head", { persistent: true });
}

interface RecordedRows {
  /** Of each head, of all replies' tokens: [E, V]. */
  readonly logits: readonly Tensor[];
  /** [n, H] */
  readonly features: Tensor;
}

function recordRows(
  { gpu }: Backbone,
  batch: PackedBatch,
  hidden: Tensor,
  heads: readonly Tensor[],
  replies: readonly Candidate[],
): RecordedRows {
  const gather = (rows: readonly number[]) =>
    gatherRows(gpu, hidden, uploadTensor(gpu, Int32Array.from(rows), 1, "rows"));
  // The token at p + 1 is predicted at p.
  const predicting = replies.flatMap(({ ids, replyStart }, n) =>
    Array.from({ length: ids.length - replyStart }, (_, k) => rowOf(batch, n, replyStart - 1 + k)),
  );
  const states = gather(predicting);
  return {
    logits: heads.map((head) => logits(gpu, states, head)),
    features: gather(replies.map(({ ids }, n) => rowOf(batch, n, ids.length - 1))),
  };
}

/** What one batch says of its sequences; all reading is recorded before the first wait. */
function readRows(
  gpu: Gpu,
  { logits, features }: RecordedRows,
  replies: readonly Candidate[],
): Promise<ScoredReply[]> {
  const rows = Promise.all(logits.map((own) => readTensor(gpu, own)));
  return collect(replies, rows, readTensor(gpu, features), features.cols);
}

async function collect(
  replies: readonly Candidate[],
  logitRows: Promise<Float32Array[]>,
  features: Promise<Float32Array>,
  width: number,
): Promise<ScoredReply[]> {
  const [own, other] = (await logitRows) as [Float32Array, Float32Array];
  const states = await features;
  const predicted = replies.reduce((sum, { ids, replyStart }) => sum + ids.length - replyStart, 0);
  const vocabulary = own.length / predicted;
  let row = 0;
  return replies.map(({ ids, replyStart }, n) => {
    const targets = ids.subarray(replyStart);
    const from = row;
    row += targets.length;
    const sum = (rows: Float32Array) =>
      targets.reduce((total, id, k) => {
        const at = (from + k) * vocabulary;
        return total + logSoftmax(rows.subarray(at, at + vocabulary), id);
      }, 0);
    return {
      logProb: sum(own),
      otherLogProb: sum(other),
      tokens: targets.length,
      features: states.slice(n * width, (n + 1) * width),
    };
  });
}

/** log softmax(logits)[id], in float64. */
function logSoftmax(row: Float32Array, id: number): number {
  const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = row.reduce((total, value) => total + Math.exp(value - most), 0);
  return row[id]! - most - Math.log(sum);
}
