/** @file The CRINGE penalties of replies that should not have been written, summed over their tokens, on the tape. */
import { type CringeOptions, cringeBackward, cringePenalties } from "../kernels/cringe.ts";
import { pathKeys } from "../kernels/dropout.ts";
import type { PackedBatch } from "../kernels/packed-batch.ts";
import { segmentSums, segmentSumsGradient } from "../kernels/segments.ts";
import { type Tensor, uploadTensor } from "../tensor/tensor.ts";
import { gatherRows, type Recording } from "./operations.ts";
import type { ReplyEntries } from "./reply-entries.ts";
import type { ReplyRoom } from "./reply-logps.ts";

/** A draw is a function of the seed, the step and the tokens up to its place: packing and resuming do not change it. */
export type PenaltyDraw = Omit<CringeOptions, "keys">;

/**
 * @param hidden [T, H] after the final norm @param lmHead [V, H]
 * @returns [N, 1] f32: sums over each reply's tokens
 */
export function replyPenalties(
  on: Recording,
  batch: PackedBatch,
  hidden: Tensor,
  lmHead: Tensor,
  entries: ReplyEntries,
  draw: PenaltyDraw,
  room: ReplyRoom,
): Tensor {
  const { gpu, tape } = on;
  const upload = (values: Int32Array, cols: number, capacity: number) =>
    uploadTensor(gpu, values, cols, "penalised replies", { capacity });
  const targets = upload(entries.targets, 1, room.entries);
  const offsets = upload(entries.offsets, 1, room.sequences + 1);
  const paths = pathKeys(batch);
  const own = new Int32Array(4 * entries.rows.length);
  for (const [e, row] of entries.rows.entries()) own.set(paths.subarray(4 * row, 4 * row + 4), 4 * e);
  const keys = upload(own, 4, room.entries);
  const states = gatherRows(on, hidden, entries.rows, room.entries);
  const { penalties, drawn, logps, lse } = cringePenalties(gpu, states, lmHead, targets, { ...draw, keys });
  if (tape?.tracks(states, lmHead)) {
    tape.record(penalties, [states, drawn], (gradient) => {
      const weight = tape.parameter(lmHead);
      const into = tape.tracks(states) ? ({ hidden: "new", weight } as const) : { weight };
      const saved = { hidden: states, weight: lmHead, targets, drawn, gradient };
      const dStates = cringeBackward(gpu, saved, into);
      if (dStates !== undefined) tape.pass(states, dStates);
    });
  }
  for (const tensor of [states, drawn, logps, lse]) tape?.release(tensor);
  const sums = segmentSums(gpu, penalties, offsets);
  if (tape?.tracks(penalties)) {
    tape.record(sums, [], (dy) => tape.pass(penalties, segmentSumsGradient(gpu, dy, offsets, penalties)));
  }
  tape?.release(penalties);
  return sums;
}
