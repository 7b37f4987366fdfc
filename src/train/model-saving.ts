/** @file What a whole model has learnt as a folder, and the rewards of the held-out records under what was saved. */

import { saveAdapter } from "../model/adapter/save-adapter.ts";
import type { LoraSettings } from "../model/adapter/settings.ts";
import { type ModelParameter, storedValues } from "../model/model-parameters.ts";
import { headName } from "../model/reward-head.ts";
import { fromFloat32 } from "../model/safetensors/convert.ts";
import { type Replace, saveLanguageModel, saveRewardModel } from "../model/save.ts";
import type { Saving } from "./closing.ts";
import type { Example } from "./example-sets.ts";
import type { ExampleForm } from "./forms/form.ts";
import { rewardItem } from "./micro-batches.ts";
import { rewardRecord } from "./reward-record.ts";
import type { ModelRewardKind } from "./rewards/model-reward.ts";
import { pointOfReference } from "./row-metrics.ts";
import type { Session } from "./session.ts";
import type { Weights } from "./trainer.ts";

/** @param lora what the updates are like, where they are what learnt */
export function modelSaving(
  session: Session,
  kind: ModelRewardKind,
  parameters: readonly ModelParameter[],
  lora: LoraSettings | undefined,
  form: ExampleForm,
): Saving {
  const { gpu, folder, options, prepared, reporter } = session;
  const held = prepared.dataset.eval?.examples ?? [];
  return {
    async save(dir, { weights }) {
      const tensors = checkpointTensors(parameters, weights);
      const reward = await rewardRecord(options, folder);
      if (lora !== undefined) await saveUpdates(dir, session, tensors, lora, reward);
      else if (kind.head === "score") await saveWeights(dir, session, tensors);
      else await saveLanguage(dir, session, tensors, reward);
    },
    async evaluate(dir) {
      if (held.length === 0) return undefined;
      const saved = lora === undefined ? { dir } : { dir: folder.dir, adapter: dir };
      const others = form.references?.eval ?? [];
      const items = [...held.map(rewardItem), ...others];
      const all = await kind.score(gpu, saved, items, options, (done, total) =>
        reporter.compiled?.(done, total),
      );
      const [rewards, references] = [all.slice(0, held.length), all.slice(held.length)];
      const z = form.references && pointOfReference(references.map((own) => own[0] ?? Number.NaN));
      return { rewards, metrics: form.metrics(held, rewards, z) };
    },
  };
}

type Tensors = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

/** A whole model, in the base's dtypes; the head f32. */
async function saveWeights(dir: string, session: Session, tensors: Tensors): Promise<void> {
  const { folder, tokenizer, options, prepared } = session;
  const { dataset, recipe, chatTemplate } = prepared;
  const { maxShardSize } = options;
  await saveRewardModel(dir, folder, {
    recipe,
    tokenizer,
    chatTemplate,
    maxShardSize,
    weight: headOf(tensors),
    lastIds: lastIds([...dataset.train.examples, ...(dataset.eval?.examples ?? [])]),
    replace: replacing(tensors),
  });
}

/** A whole language model, in the base's dtypes. */
async function saveLanguage(
  dir: string,
  { folder, options, prepared }: Session,
  tensors: Tensors,
  reward: Record<string, unknown> | undefined,
): Promise<void> {
  const { recipe, chatTemplate } = prepared;
  const { maxShardSize } = options;
  await saveLanguageModel(dir, folder, {
    recipe,
    chatTemplate,
    maxShardSize,
    reward,
    replace: replacing(tensors),
  });
}

/** A tensor's trained values in the dtype that the base stores it in; none for what did not learn. */
function replacing(tensors: Tensors): Replace {
  return ({ names: [name = ""] }, { dtype }) => {
    const values = tensors.get(name);
    return values && (() => fromFloat32(values, dtype));
  };
}

/** The updates alone, with the reward head where there is one, in PEFT's layout. */
async function saveUpdates(
  dir: string,
  { folder, prepared }: Session,
  values: Tensors,
  settings: LoraSettings,
  reward: Record<string, unknown> | undefined,
): Promise<void> {
  const { recipe, chatTemplate } = prepared;
  const head = values.get(headName);
  const task = head === undefined ? "CAUSAL_LM" : "SEQ_CLS";
  await saveAdapter(dir, folder, { task, settings, values, head, recipe, reward, chatTemplate });
}

function headOf(tensors: Tensors): Float32Array<ArrayBuffer> {
  const head = tensors.get(headName);
  if (head === undefined) throw new Error(`There are no values of ${headName}`);
  return head;
}

/** What learnt, under the names of checkpoints and in their shapes. */
function checkpointTensors(
  parameters: readonly ModelParameter[],
  weights: Weights,
): Map<string, Float32Array<ArrayBuffer>> {
  const tensors = new Map<string, Float32Array<ArrayBuffer>>();
  for (const parameter of parameters) {
    const own = weights.get(parameter.name);
    if (own === undefined) throw new Error(`There are no values of ${parameter.name}`);
    for (const [name, values] of storedValues(parameter, own.values)) tensors.set(name, values);
  }
  return tensors;
}

/** Ids that sequences end in, which the pad may not be. */
export function lastIds(examples: readonly Pick<Example, "item">[]): Set<number> {
  return new Set(examples.flatMap(({ item }) => item.sequences.flatMap((ids) => ids.at(-1) ?? [])));
}
