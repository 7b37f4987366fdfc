/** @file Gradients of replies' log-probabilities: through a frozen vocabulary head as through one that learns. */
import { expect, it } from "vitest";
import { pack } from "../../src/data/pack.ts";
import { addInto } from "../../src/kernels/add.ts";
import { vocabularySums } from "../../src/kernels/generated/index.ts";
import { replyEntries } from "../../src/model/reply-entries.ts";
import { replyLogps } from "../../src/model/reply-logps.ts";
import { Tape } from "../../src/tensor/tape.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const gpu = useGpu();
const [width, vocabulary] = [12, 70];

it("a frozen head gives hidden states the same gradient, and logits are computed once", async () => {
  const sequences = [Int32Array.of(3, 1, 4, 1, 5, 69), Int32Array.of(3, 1, 4, 2), Int32Array.of(9, 8, 7)];
  const batch = pack([{ sequences: sequences.slice(0, 2) }, { sequences: sequences.slice(2) }]);
  const entries = replyEntries(batch, [3, 3, 1]);
  const run = async (learns: boolean) => {
    using _ = gpu().scope();
    const hidden = uploadTensor(gpu(), normals(1, batch.rows * width), width, "hidden");
    const head = uploadTensor(gpu(), normals(2, vocabulary * width), width, "head");
    const dHidden = uploadTensor(gpu(), new Float32Array(batch.rows * width), width, "d hidden");
    const dHead = uploadTensor(gpu(), new Float32Array(vocabulary * width), width, "d head");
    const parameters = new Map([[hidden, dHidden]]);
    if (learns) parameters.set(head, dHead);
    const forward = gpu().recorder.collect(() => {
      using tape = new Tape(gpu(), parameters, addInto);
      using _scope = gpu().scope();
      replyLogps({ gpu: gpu(), tape }, hidden, head, entries);
    });
    const tiles = forward.filter(({ kernel }) => kernel === vocabularySums).length;
    using tape = new Tape(gpu(), parameters, addInto);
    const { tokens, sums } = replyLogps({ gpu: gpu(), tape }, hidden, head, entries);
    const logps = await readTensor(gpu(), tokens);
    const slopes = uploadTensor(gpu(), normals(3, 3), 1, "slopes");
    const before = gpu().recorder.stats.dispatches;
    tape.backward([[sums, slopes]]);
    const dispatches = gpu().recorder.stats.dispatches - before;
    return { logps, tiles, dispatches, dHidden: await readTensor(gpu(), dHidden) };
  };
  const [frozen, learning] = [await run(false), await run(true)];
  expect(frozen.logps).toEqual(learning.logps);
  expect(frozen.tiles).toBe(learning.tiles);
  expect(Math.hypot(...learning.dHidden)).toBeGreaterThan(0.1);
  expect(relativeError(frozen.dHidden, learning.dHidden)).toBeLessThan(1e-5);
  // Sums to tokens, their slopes, rows of the batch; else also logits, their gradient and two products.
  expect(learning.dispatches - frozen.dispatches).toBeGreaterThanOrEqual(3);
});
