/** @file What a checkpoint tells of the implicit reward that it was trained by, so that `score` can make it again. */
import { hashBase } from "../model/adapter/base-hash.ts";
import { type ModelFolder, openModelFolder } from "../model/model-folder.ts";
import { type StoredReward, serialiseReward } from "../model/stored-reward.ts";
import { findObjective } from "./objectives.ts";
import type { TrainOptions } from "./options.ts";

/** @param base the run's own @returns undefined for other rewards, and for language models that are none */
export async function rewardRecord(
  options: TrainOptions,
  base: ModelFolder,
): Promise<Record<string, unknown> | undefined> {
  const { form, loss } = findObjective(options);
  if (form === undefined || loss.kind === "texts") return undefined;
  const reference = form.reference ? await referenceOf(options, base) : undefined;
  return serialiseReward({ form: form.name, beta: form.beta, ...(reference && { reference }) });
}

async function referenceOf(
  { model, reference: dir }: TrainOptions,
  base: ModelFolder,
): Promise<NonNullable<StoredReward["reference"]>> {
  if (dir === undefined) return { name: model, sha256: await hashBase(base, { lmHead: true }) };
  await using folder = await openModelFolder(dir, { ignoreRecipeMismatch: true });
  return { name: dir, sha256: await hashBase(folder, { lmHead: true }) };
}

/** The reference as the run's identity has it: by what its files hold, not by its path. */
export async function hashReference(dir: string): Promise<Record<string, string>> {
  await using folder = await openModelFolder(dir, { ignoreRecipeMismatch: true });
  return { reference: await hashBase(folder, { lmHead: true }) };
}
