/** @file Log-probabilities of items' replies, token by token, on the host: of references, and of models that score. */
import type { Item } from "../data/pack.ts";
import type { Backbone } from "../model/backbone.ts";
import { replyEntries } from "../model/reply-entries.ts";
import { replyLogps } from "../model/reply-logps.ts";
import type { LinearWeights } from "../model/weights.ts";
import { readTensor, type Tensor } from "../tensor/tensor.ts";
import { type BatchOfItems, type RunOptions, runBatches, type TokenCounts } from "./run-batches.ts";

/** Sequences with where their replies begin. */
export interface ReplyItem extends Item {
  /** Per sequence, the index of its reply's first token. */
  readonly replyStarts: readonly number[];
}

/** What computes them. */
export interface PolicyOnDevice {
  readonly backbone: Backbone;
  /** [V, H], or that with a low-rank update. */
  readonly lmHead: Tensor | LinearWeights;
}

/**
 * log p of every reply token, `[item][sequence]`, the same bits whatever stands beside a sequence.
 * @param options `updates: false` leaves low-rank updates out
 */
export async function replyLogpsOf(
  { backbone, lmHead }: PolicyOnDevice,
  items: readonly ReplyItem[],
  options: RunOptions,
): Promise<{ readonly logps: Float32Array[][]; readonly counts: TokenCounts }> {
  const { gpu } = backbone;
  const logps: Float32Array[][] = items.map(() => []);
  const entriesOf = ({ batch, items: indices }: BatchOfItems) =>
    replyEntries(
      batch,
      indices.flatMap((i) => items[i]!.replyStarts),
    );
  const counts = await runBatches(backbone, items, options, {
    name: "log-probabilities",
    rows: (own) => entriesOf(own).rows.length,
    record(own, hidden) {
      const entries = entriesOf(own);
      const room = {
        entries: Math.max(hidden.capacity, entries.rows.length),
        sequences: entries.offsets.length - 1,
      };
      const { tokens } = replyLogps({ gpu, adapter: options.updates }, hidden, lmHead, entries, room);
      return { tokens, offsets: entries.offsets };
    },
    async take({ tokens, offsets }, { items: indices }) {
      const values = await readTensor(gpu, tokens);
      let n = 0;
      for (const i of indices) {
        for (let reply = 0; reply < items[i]!.sequences.length; reply++, n++)
          logps[i]!.push(values.slice(offsets[n], offsets[n + 1]));
      }
    },
  });
  return { logps, counts };
}

/** Tokens that are summed before their sum is added to the total; see kernels/segments.ts. */
const chunk = 32;

/** The sum of each prefix of a reply's log-probabilities, in f32 and with the very bits of `segmentSums`. */
export function runningSums(logps: Float32Array): Float32Array {
  const sums = new Float32Array(logps.length);
  let total = 0;
  let sum = 0;
  for (const [i, logp] of logps.entries()) {
    sum = Math.fround(sum + logp);
    sums[i] = total + sum;
    if ((i + 1) % chunk !== 0) continue;
    total = Math.fround(total + sum);
    sum = 0;
  }
  return sums;
}

/** log π(y|x): the last of the running sums. */
export const replySum = (logps: Float32Array): number => runningSums(logps).at(-1) ?? 0;
