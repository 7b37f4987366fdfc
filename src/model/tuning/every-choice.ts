/** @file Passes of a few and of many rows, recorded where nothing is computed: what they ask for is observed. */
import { copy } from "../../kernels/copy.ts";
import type { PackedBatch } from "../../kernels/packed-batch.ts";
import { rowsOfEveryChoice } from "../../kernels/variants.ts";
import type { Tape } from "../../tensor/tape.ts";
import type { Backbone } from "../backbone.ts";

/** @param begin a tape of the model's parameters, where passes go backwards too */
export function rehearseEveryChoice(backbone: Backbone, begin?: () => Tape): void {
  const { gpu } = backbone;
  // Tables outlive a rehearsal.
  backbone.reserve(1);
  for (const rows of rowsOfEveryChoice) {
    gpu.rehearse(() => {
      using tape = begin?.();
      const hidden = backbone.forward(oneTokenTexts(rows), rows, { tape });
      tape?.backward([[hidden, copy(gpu, hidden)]]);
    });
  }
}

/** A batch of `rows` texts of one token each. */
function oneTokenTexts(rows: number): PackedBatch {
  return {
    rows,
    ids: new Int32Array(rows),
    positions: new Int32Array(rows),
    segments: Int32Array.from({ length: 4 * rows }, (_, i) => [0, 0, Math.floor(i / 4), 1][i % 4] ?? 0),
    sequenceSegments: Int32Array.from({ length: rows }, (_, n) => n),
    maxPath: 1,
    paddedTokens: rows,
  };
}
