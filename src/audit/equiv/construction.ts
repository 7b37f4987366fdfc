/** @file Evidence by construction: the names bt and dpo lead to one piece of code, so training through either is the same. */
import type { Gpu } from "../../gpu/gpu.ts";
import { uploadTensor } from "../../tensor/tensor.ts";
import { HeadTrainer } from "../../train/head-trainer.ts";
import { differenceObjective, findObjective, type ObjectiveName } from "../../train/objectives.ts";
import { trainDefaults } from "../../train/options.ts";
import { allPairs } from "./float64.ts";
import { type EquivRow, equivRow } from "./row.ts";
import type { TiltedReply } from "./tilted-policy.ts";

const steps = 20;

export async function constructionRows(
  gpu: Gpu,
  prompts: readonly (readonly TiltedReply[])[],
): Promise<EquivRow[]> {
  const loss = (objective: ObjectiveName) =>
    differenceObjective({ objective, reward: undefined, centerRewardsCoefficient: 0 }).loss;
  const [bt, dpo] = [await trainHead(gpu, prompts, "bt"), await trainHead(gpu, prompts, "dpo")];
  return [
    equivRow(
      "construction",
      "losses that --objective bt and --objective dpo reach, beside the one",
      loss("bt") === loss("dpo") ? 0 : 1,
      0,
      "one function, so what follows is no surprise",
    ),
    equivRow(
      "construction",
      "losses that --objective dpo reaches for a whole language model, beside that one",
      wholeModelLoss() === loss("bt") ? 0 : 1,
      0,
      "its rewards are others, and the loss can't see it",
    ),
    equivRow(
      "construction",
      `weights of the head whose bits differ after ${steps} steps through either`,
      bt.reduce((count, bits, k) => count + (bits === dpo[k] ? 0 : 1), 0),
      0,
      `of ${bt.length}`,
    ),
  ];
}

/** Of `--objective dpo --trainable full`, whose rewards are implicit. */
const wholeModelLoss = () =>
  findObjective({ objective: "dpo", reward: undefined, trainable: "full", centerRewardsCoefficient: 0 }).loss;

/** Bits of the head after some steps on all pairs. */
async function trainHead(
  gpu: Gpu,
  prompts: readonly (readonly TiltedReply[])[],
  objective: ObjectiveName,
): Promise<Uint32Array> {
  using _scope = gpu.scope();
  const replies = prompts.flat();
  const width = replies[0]?.features.length ?? 0;
  const table = new Float32Array(replies.length * width);
  for (const [r, { features }] of replies.entries()) table.set(features, r * width);
  const first = prompts.map((_, x) => prompts.slice(0, x).reduce((sum, set) => sum + set.length, 0));
  const pairs = allPairs(prompts);
  const rows = Int32Array.from([
    ...pairs.map(({ x, w }) => first[x]! + w),
    ...pairs.map(({ x, l }) => first[x]! + l),
  ]);
  const settings = {
    ...trainDefaults,
    objective,
    reward: undefined,
    batchSize: pairs.length,
    logEvery: steps,
  };
  using trainer = new HeadTrainer(
    gpu,
    uploadTensor(gpu, table, width, "features"),
    new Float32Array(width),
    settings,
  );
  const labels = Float32Array.from(pairs, (_, i) => [1, 0.75, 0.5][i % 3]!);
  const batch = { rows, margins: new Float32Array(pairs.length), labels };
  for (let step = 0; step < steps; step++) trainer.step([batch], trainDefaults.lr);
  await trainer.takeMetrics();
  return new Uint32Array((await trainer.head()).buffer);
}
