/** @file Log-probabilities of replies under a causal LM, each step with its gradient on a tape where there is one. */
import { columns } from "../kernels/columns.ts";
import { segmentSums, segmentSumsGradient } from "../kernels/segments.ts";
import { tokenLogps, tokenLogpsBackward } from "../kernels/token-logps.ts";
import { scaleRows, tokenSlopes } from "../kernels/token-slopes.ts";
import { createTensor, Tensor, uploadTensor } from "../tensor/tensor.ts";
import { gatherRows, linear, type Recording } from "./operations.ts";
import type { ReplyEntries } from "./reply-entries.ts";
import type { LinearWeights, LoraPart } from "./weights.ts";

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
 * @param hidden [T, H] after the final norm
 * @param lmHead [V, H], or that with a low-rank update
 * @param room default: what the batch needs
 */
export function replyLogps(
  on: Recording,
  hidden: Tensor,
  lmHead: Tensor | LinearWeights,
  entries: ReplyEntries,
  room: ReplyRoom = { entries: entries.rows.length, sequences: entries.offsets.length - 1 },
): ReplyLogps {
  const { gpu, tape } = on;
  const column = (values: Int32Array, label: string, capacity: number) =>
    uploadTensor(gpu, values, 1, label, { capacity });
  const targets = column(entries.targets, "reply tokens", room.entries);
  const offsets = column(entries.offsets, "begins of replies", room.sequences + 1);
  const states = gatherRows(on, hidden, entries.rows, room.entries);
  const tokens = logpsOf(on, states, lmHead, targets);
  const sums = segmentSums(gpu, tokens, offsets);
  if (tape?.tracks(tokens)) {
    tape.record(sums, [], (dy) => tape.pass(tokens, segmentSumsGradient(gpu, dy, offsets, tokens)));
  }
  return { tokens, sums };
}

/** @param states [E, H], which nothing reads later */
function logpsOf(on: Recording, states: Tensor, lmHead: Tensor | LinearWeights, targets: Tensor): Tensor {
  const { gpu, tape } = on;
  const { weight, lora = [] } = lmHead instanceof Tensor ? { weight: lmHead } : lmHead;
  const part = on.adapter === false ? undefined : lora[0];
  const update = part && { low: scaledLow(on, states, part), b: part.b };
  if (update === undefined && tape?.tracks(states) && !tape.tracks(weight)) {
    const { logps, lse, slopes } = tokenSlopes(gpu, states, weight, targets);
    // The slopes become the gradient; so nothing else is saved.
    tape.record(logps, [], (gradient) => {
      scaleRows(gpu, slopes, gradient);
      tape.pass(states, slopes);
    });
    for (const tensor of [states, lse]) tape.release(tensor);
    return logps;
  }
  const { logps, lse } = tokenLogps(gpu, states, weight, targets, update);
  const added = update === undefined ? [] : [update.low, update.b];
  if (tape?.tracks(states, weight, ...added)) {
    const saved = { hidden: states, weight, targets, lse, update };
    tape.record(logps, update === undefined ? [states, lse] : [states, lse, update.low], (gradient) => {
      const dUpdate = update && {
        low: createTensor(gpu, states.rows, update.b.cols, "d low", { capacity: states.capacity }),
        b: tape.parameter(update.b),
      };
      const into = { weight: tape.parameter(weight), update: dUpdate };
      const dStates = tokenLogpsBackward(
        gpu,
        { ...saved, gradient },
        tape.tracks(states) ? { ...into, hidden: "new" } : into,
      );
      if (dStates !== undefined) tape.pass(states, dStates);
      if (update !== undefined && dUpdate !== undefined) tape.pass(update.low, dUpdate.low);
    });
  }
  for (const tensor of [states, lse, update?.low]) if (tensor !== undefined) tape?.release(tensor);
  return logps;
}

/** scale * x A^T [E, r], the states' part of a low-rank update. */
function scaledLow(on: Recording, states: Tensor, { a, scale }: LoraPart): Tensor {
  const { gpu, tape } = on;
  const raw = linear(on, states, { weight: a, bias: undefined });
  const all = { first: 0, count: a.rows, scale };
  const low = columns(gpu, raw, all);
  if (tape?.tracks(raw)) tape.record(low, [], (dy) => tape.pass(raw, columns(gpu, dy, all)));
  tape?.release(raw);
  return low;
}
