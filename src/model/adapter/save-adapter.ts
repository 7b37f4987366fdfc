/**
 * @file Writes an adapter as PEFT's save_pretrained does: adapter_config.json and adapter_model.safetensors, f32, the
 * reward head among its tensors. Each file is written atomically, the weights last, and old weights go first, so that
 * weights never stand beside another adapter's settings.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../atomic-file.ts";
import { type ChatTemplate, findChatTemplate, TEMPLATE_FILE } from "../chat/template.ts";
import type { ModelFolder } from "../model-folder.ts";
import { headName } from "../reward-head.ts";
import { type TensorSource, writeSafetensors } from "../safetensors/index.ts";
import { hashBase } from "./base-hash.ts";
import { type LoraPartSpec, loraParts, peftPrefix } from "./parts.ts";
import { type AdapterTask, CONFIG_FILE, writePeftConfig } from "./peft-config.ts";
import type { LoraSettings } from "./settings.ts";
import { type AdapterKey, writeAdapterKey } from "./stored-key.ts";

export const WEIGHTS_FILE = "adapter_model.safetensors";
/** The head's name in it. */
export const adapterHeadName = `${peftPrefix}${headName}`;

export interface TrainedAdapter extends Omit<AdapterKey, "baseSha256"> {
  readonly task: AdapterTask;
  readonly settings: LoraSettings;
  /** A and B of every part, by PEFT's names. */
  readonly values: ReadonlyMap<string, Float32Array>;
  /** [H]; always, for a classifier. */
  readonly head?: Float32Array | undefined;
  /** `hashBase` of the base, where it is known already. */
  readonly baseSha256?: string | undefined;
  /** What made texts of conversations: saved where it isn't the base's own. */
  readonly chatTemplate?: ChatTemplate | undefined;
}

export async function saveAdapter(out: string, base: ModelFolder, adapter: TrainedAdapter): Promise<void> {
  const { task, head, recipe, reward, chatTemplate } = adapter;
  if ((task === "SEQ_CLS") !== (head !== undefined))
    throw new Error(`An adapter for ${task} is saved ${head === undefined ? "without" : "with"} a head`);
  const lmHead = task === "CAUSAL_LM";
  // An adapter of PEFT's may name targets that the model lacks, and is trained on as it is.
  const parts = loraParts(base.config, adapter.settings, { lmHead, everyTarget: false });
  const tensors = parts.flatMap(({ a, b }) => [a, b]).map((t) => source(t.name, [t.rows, t.cols], adapter));
  if (head !== undefined) tensors.push(bytesOf(adapterHeadName, [1, base.config.hiddenSize], head));
  const baseSha256 = adapter.baseSha256 ?? (await hashBase(base, { lmHead }));
  const settings = { ...adapter.settings, targets: listed(adapter.settings, parts) };
  const fanInFanOut = parts.some(({ module }) => module.transposed);
  const config = writePeftConfig({ task, settings, baseName: base.dir }, fanInFanOut);

  await mkdir(out, { recursive: true });
  await rm(join(out, WEIGHTS_FILE), { force: true });
  await saveTemplate(out, base, chatTemplate);
  await writeFileAtomic(join(out, CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`);
  const key = writeAdapterKey({ baseSha256, recipe, reward });
  await writeSafetensors(join(out, WEIGHTS_FILE), tensors, { format: "pt", ...key });
}

/** PEFT takes a list of names, or an expression; "all-linear" it writes out too. */
function listed({ targets }: LoraSettings, parts: readonly LoraPartSpec[]): readonly string[] {
  if (typeof targets !== "string") return targets;
  if (targets.toLowerCase() !== "all-linear") return parts.map(({ module }) => module.name);
  return [...new Set(parts.map(({ module: { name } }) => name.slice(name.lastIndexOf(".") + 1)))];
}

async function saveTemplate(out: string, base: ModelFolder, template?: ChatTemplate): Promise<void> {
  await rm(join(out, TEMPLATE_FILE), { force: true });
  if (template === undefined || (await findChatTemplate(base.dir))?.sha256 === template.sha256) return;
  await writeFileAtomic(join(out, TEMPLATE_FILE), template.source);
}

function source(name: string, shape: readonly number[], { values }: TrainedAdapter): TensorSource {
  const found = values.get(name);
  if (found === undefined) throw new Error(`The adapter has no values for ${name}`);
  return bytesOf(name, shape, found);
}

function bytesOf(name: string, shape: readonly number[], values: Float32Array): TensorSource {
  const data = () => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dtype: "F32", shape, data };
}
