/** @file The low-rank updates that a run trains: new ones as its options say, or those of a folder. */
import { join } from "node:path";
import { type Adapter, openAdapter } from "../model/adapter/open-adapter.ts";
import { CONFIG_FILE } from "../model/adapter/peft-config.ts";
import { WEIGHTS_FILE } from "../model/adapter/save-adapter.ts";
import { allLinear, type LoraSettings, loraDefaults } from "../model/adapter/settings.ts";
import { sha256File } from "../model/file-hash.ts";
import type { ModelFolder } from "../model/model-folder.ts";
import type { TrainOptions } from "./options.ts";

export interface ChosenAdapter {
  readonly settings: LoraSettings;
  /** What training begins with; undefined: new updates. */
  readonly adapter: Adapter | undefined;
}

/**
 * @throws InputError naming the adapter that is none of this model's, or the target that the model does not have
 */
export async function chooseAdapter(options: TrainOptions, base: ModelFolder): Promise<ChosenAdapter> {
  const { loraR, loraAlpha, loraDropout, loraTargets } = options;
  if (options.adapter !== undefined) {
    const adapter = await openAdapter(options.adapter, base);
    const { settings } = adapter;
    return { adapter, settings: { ...settings, dropout: loraDropout ?? settings.dropout } };
  }
  return {
    adapter: undefined,
    settings: {
      r: loraR ?? loraDefaults.r,
      alpha: loraAlpha ?? loraDefaults.alpha,
      dropout: loraDropout ?? loraDefaults.dropout,
      targets: targetsOf(loraTargets) ?? loraDefaults.targets,
    },
  };
}

/** One name alone is a list of one, unless it stands for all. */
function targetsOf(targets: TrainOptions["loraTargets"]): LoraSettings["targets"] | undefined {
  if (targets === undefined) return undefined;
  const names = typeof targets === "string" ? [targets] : targets;
  return names.length === 1 && names[0] === allLinear ? allLinear : names;
}

/** SHA-256 of an adapter's files, by name. */
export async function hashAdapter(dir: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of [CONFIG_FILE, WEIGHTS_FILE]) hashes[name] = await sha256File(join(dir, name));
  return hashes;
}
