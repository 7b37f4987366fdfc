/**
 * @file The demonstration that a reward model's loss and DPO's are one objective, as rows of measured differences. What
 * each kind of row shows, and what none of them shows, is in docs/equivalence.md.
 */
import { Random } from "../../data/random.ts";
import { InputError } from "../../errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { findTokenizer } from "../../model/tokenizer.ts";
import { differenceObjective } from "../../train/objectives.ts";
import { readCandidates } from "./candidates.ts";
import { constructionRows } from "./construction.ts";
import { controls, deviceControl } from "./controls.ts";
import { deviceRewards } from "./float32.ts";
import { promptConstants, twoLanguageModels } from "./implicit.ts";
import { tiltedInFloat32, tiltedInFloat64, withRewards } from "./independent.ts";
import { scoreReplies } from "./language-model.ts";
import { optimumRows } from "./optimum/optimum.ts";
import type { EquivRow } from "./row.ts";
import { streams } from "./streams.ts";
import { trlRows } from "./trl.ts";
import { wholeModelRows } from "./whole/rows.ts";

export interface EquivOptions {
  /** Folder of a causal LM with float32 weights and a tokenizer: the reference. */
  readonly model: string;
  /** Preference records; their prompts and replies are what is scored. */
  readonly data: string;
  /** Of the head, the other LM, the table and its counts. */
  readonly seed: number;
}

/** Prompts that are scored, with four candidate replies each. */
const promptCount = 12;

export async function equivalence(gpu: Gpu, { model, data, seed }: EquivOptions): Promise<EquivRow[]> {
  const { tokenizer, missing } = await findTokenizer(model);
  if (tokenizer === undefined) throw new InputError(missing);
  const objective = differenceObjective({ objective: "dpo", reward: undefined, centerRewardsCoefficient: 0 });
  const candidates = await readCandidates(data, tokenizer, promptCount);
  const scored = await scoreReplies(gpu, model, candidates, new Random(seed, streams.otherLm));
  const features = scored.flat().map((reply) => reply.features);
  const head = randomHead(features[0]?.length ?? 0, new Random(seed, streams.head));
  // float64 sums have digits that float32 rewards lack: the float64 rows begin with those.
  const exact = withRewards(
    scored,
    features.map((h) => h.reduce((sum, value, j) => sum + value * head[j]!, 0)),
  );
  const onDevice = Float32Array.from(features.flatMap((h) => [...h]));
  const rounded = withRewards(scored, await deviceRewards(gpu, objective, onDevice, head));
  const constants = new Random(seed, streams.constants);
  return [
    ...(await constructionRows(gpu, exact)),
    ...tiltedInFloat64(exact, objective),
    ...(await tiltedInFloat32(gpu, objective, rounded)),
    ...twoLanguageModels(scored, objective.loss),
    ...promptConstants(exact, objective.loss, constants),
    ...(await trlRows(gpu, objective)),
    ...(await wholeModelRows(gpu, model, candidates, objective.loss)),
    ...controls(scored, exact, objective, constants),
    await deviceControl(gpu, objective, rounded),
    ...(await optimumRows(gpu, objective.loss, seed)),
  ];
}

/** Weights of variance 1/H: rewards of about one unit on features of size 1. */
function randomHead(width: number, random: Random): Float32Array {
  return Float32Array.from({ length: width }, () => random.normal() / Math.sqrt(width));
}
