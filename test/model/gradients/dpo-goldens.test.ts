/**
 * @file Gradients of all parameters of causal LMs under DPO and IPO against PyTorch's in float64, through TRL and Hugging
 * Face's models. The losses' slopes are written out here: what is checked is the way from log-probabilities to weights.
 */
import { expect, it } from "vitest";
import { pack } from "../../../src/data/pack.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import { replyEntries } from "../../../src/model/reply-entries.ts";
import { replyLogps } from "../../../src/model/reply-logps.ts";
import { TrainableModel } from "../../../src/model/trainable.ts";
import { readTensor, uploadTensor } from "../../../src/tensor/tensor.ts";
import { type GoldenCase, goldenModel, goldenTensors } from "../../reference/goldens.ts";
import { sigmoid } from "../../reference/pointwise.ts";
import { softplus } from "../../reference/preference-loss.ts";
import { useGpu } from "../../support/gpu.ts";
import { relativeError } from "../../support/numbers.ts";
import { unpadded } from "../golden-sequences.ts";
import { expectGradients, readGradients } from "./support.ts";

const device = useGpu();
const beta = 0.1;

/** The golden's pairs, where replies begin, and their tokens. */
function goldenPairs(name: GoldenCase) {
  const golden = goldenTensors(name, "dpo");
  const rows = unpadded(golden, "dpo");
  const completion = golden.get("dpo/completion_mask").data;
  const replyStarts = rows.map(({ slice }) => slice(completion).indexOf(1));
  const n = rows.length / 2;
  const items = rows
    .slice(0, n)
    .map(({ ids }, i) => ({ sequences: [ids, rows[n + i]?.ids ?? new Int32Array()] }));
  // In the batch the sides of a pair lie beside each other; in the golden all chosen come first.
  const order = Int32Array.from({ length: 2 * n }, (_, i) => 2 * (i % n) + Math.floor(i / n));
  const starts = Array.from({ length: 2 * n }, (_, k) => replyStarts[(k % 2) * n + (k >> 1)] ?? -1);
  const lengths = rows.map(({ ids }, i) => ids.length - (replyStarts[i] ?? 0));
  return { golden, batch: pack(items), order, starts, lengths, n };
}

/** mean over pairs of the loss of d, and d loss / d log-probability of each side; by the sides' factors on them. */
const losses = {
  sigmoid: {
    factor: () => 1,
    ofPair: (d: number) => softplus(-beta * d),
    slope: (d: number) => -beta * sigmoid(-beta * d),
  },
  ipo: {
    factor: (tokens: number) => 1 / tokens,
    ofPair: (d: number) => (d - 1 / (2 * beta)) ** 2,
    slope: (d: number) => 2 * (d - 1 / (2 * beta)),
  },
} as const;

it.each([
  ["gpt2-lm", false],
  ["llama-lm-tied", false],
  ["llama-lm-tied", true],
  ["qwen2-lm", false],
] as const)("%s: log-probabilities and all gradients; layers run again: %s", async (name, checkpointing) => {
  await using folder = await openModelFolder(goldenModel(name));
  using model = await TrainableModel.load(device(), folder, { trainable: "full", lmHead: true });
  const { gpu, backbone, lmHead } = model;
  if (lmHead === undefined) throw new Error("The model has no vocabulary head");
  const { golden, batch, order, starts, lengths, n } = goldenPairs(name);
  const entries = replyEntries(batch, starts, order);
  const run = (tape?: ReturnType<typeof model.tape>) => {
    const hidden = backbone.forward(batch, batch.rows, { tape, checkpointing });
    const result = replyLogps({ gpu, tape }, hidden, lmHead, entries);
    tape?.release(hidden);
    return result.sums;
  };
  let logps: Float32Array;
  {
    using _scope = gpu.scope();
    logps = await readTensor(gpu, run());
  }
  expect(relativeError(logps, golden.get("dpo/policy_logps.f64").data)).toBeLessThan(1e-5);
  const reference = golden.get("dpo/reference_logps.f64").data;
  for (const [loss, { factor, ofPair, slope }] of Object.entries(losses)) {
    const factors = lengths.map(factor);
    const side = (i: number) => ((logps[i] ?? 0) - (reference[i] ?? 0)) * (factors[i] ?? 0);
    const differences = Array.from({ length: n }, (_, i) => side(i) - side(n + i));
    const perPair = golden.get(`dpo/${loss}/per_pair_loss.f64`).data;
    for (const [i, d] of differences.entries())
      expect(Math.abs(ofPair(d) - perPair[i]!)).toBeLessThan(1e-5 * (1 + perPair[i]!) * 3);
    const slopes = Float32Array.from({ length: 2 * n }, (_, k) => {
      const sign = k < n ? 1 : -1;
      return (sign * slope(differences[k % n] ?? 0) * (factors[k] ?? 0)) / n;
    });
    model.arena.clear("gradient");
    {
      using tape = model.tape();
      tape.backward([[run(tape), uploadTensor(gpu, slopes, 1, "slopes")]]);
    }
    const own = await readGradients(model);
    const truth = new Map([...own.keys()].map((key) => [key, golden.get(`grad/dpo_${loss}/${key}`).data]));
    expectGradients(own, truth);
  }
});
