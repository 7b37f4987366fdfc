/** @file Log-probabilities of replies under a causal LM, each step with its gradient on a tape where there is one. */
import { segmentSums, segmentSumsGradient } from "../kernels/segments.ts";
import { tokenLogps, tokenLogpsBackward } from "../kernels/token-logps.ts";
import { type Tensor, uploadTensor } from "../tensor/tensor.ts";
import { gatherRows, type Recording } from "./operations.ts";
import type { ReplyEntries } from "./reply-entries.ts";

export interface ReplyLogps {
  /** [E, 1] f32: log π(token) of each entry. */
  readonly tokens: Tensor;
  /** [N, 1] f32: their sums, log π(reply); 0 for one without tokens. */
  readonly sums: Tensor;
}

/** Rows to make room for, so that buffers are the same for every batch. */
export interface ReplyRoom {
  readonly entries: number;
  readonly sequences: number;
}

/**
 * @param hidden [T, H] after the final norm @param lmHead [V, H]
 * @param room default: what the batch needs
 */
export function replyLogps(
  on: Recording,
  hidden: Tensor,
  lmHead: Tensor,
  entries: ReplyEntries,
  room: ReplyRoom = { entries: entries.rows.length, sequences: entries.offsets.length - 1 },
): ReplyLogps {
  const { gpu, tape } = on;
  const column = (values: Int32Array, label: string, capacity: number) =>
    uploadTensor(gpu, values, 1, label, { capacity });
  const targets = column(entries.targets, "reply tokens", room.entries);
  const offsets = column(entries.offsets, "begins of replies", room.sequences + 1);
  const states = gatherRows(on, hidden, entries.rows, room.entries);
  const { logps, lse } = tokenLogps(gpu, states, lmHead, targets);
  if (tape?.tracks(states, lmHead)) {
    const saved = { hidden: states, weight: lmHead, targets, lse };
    tape.record(logps, [states, lse], (gradient) => {
      const weight = tape.parameter(lmHead);
      const into = tape.tracks(states) ? ({ hidden: "new", weight } as const) : { weight };
      const dStates = tokenLogpsBackward(gpu, { ...saved, gradient }, into);
      if (dStates !== undefined) tape.pass(states, dStates);
    });
  }
  for (const tensor of [states, lse]) tape?.release(tensor);
  const sums = segmentSums(gpu, logps, offsets);
  if (tape?.tracks(logps)) {
    tape.record(sums, [], (dy) => tape.pass(logps, segmentSumsGradient(gpu, dy, offsets, logps)));
  }
  return { tokens: logps, sums };
}
