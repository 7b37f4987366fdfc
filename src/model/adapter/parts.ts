/** @file The tensors of an adapter on one model: a pair A [r, in], B [out, r] for each target. */
import { InputError } from "../../errors.ts";
import type { ModelConfig } from "../config.ts";
import { byPattern, nameMatcher } from "./match.ts";
import { type LoraModule, loraModules } from "./modules.ts";
import { checkLoraSettings, type LoraSettings } from "./settings.ts";

/** What PEFT puts before the names of the model that it wraps. */
export const peftPrefix = "base_model.model.";

export interface LoraPartSpec {
  readonly module: LoraModule;
  readonly r: number;
  /** y += scale * x A^T B^T */
  readonly scale: number;
  /** Names in adapter_model.safetensors, and shapes. */
  readonly a: { readonly name: string; readonly rows: number; readonly cols: number };
  readonly b: { readonly name: string; readonly rows: number; readonly cols: number };
}

export interface PartOptions {
  /** Whether the vocabulary head may be a target. Default false: a scalar reward does not read it. */
  readonly lmHead?: boolean;
  /** What errors call the targets. */
  readonly where?: string;
  /** Whether a target in the list that no module has is an error. Default true; PEFT passes over it. */
  readonly everyTarget?: boolean;
}

/**
 * In the order of the model's modules.
 * @throws InputError for settings out of range, and for targets that the model does not have, naming those it has
 */
export function loraParts(
  config: ModelConfig,
  settings: LoraSettings,
  { lmHead = false, where = "--lora-targets", everyTarget = true }: PartOptions = {},
): LoraPartSpec[] {
  checkLoraSettings(settings);
  const { targets, excluded = [], layers } = settings;
  const modules = loraModules(config, { lmHead });
  if (everyTarget && typeof targets !== "string") {
    for (const target of targets)
      if (!modules.some(({ name }) => nameMatcher([target], where)(name)))
        throw new InputError(`${where}: ${refusal(target, modules)}`);
  }
  const isTarget = nameMatcher(targets, where);
  const isExcluded = nameMatcher(excluded, where);
  const chosen = modules.filter(
    ({ name, layer }) =>
      isTarget(name) &&
      !isExcluded(name) &&
      (layers === undefined || (layer !== undefined && layers.includes(layer))),
  );
  if (chosen.length === 0)
    throw new InputError(
      `${where}: ${JSON.stringify(targets)} means none of the model's linear layers (${ends(modules)})`,
    );
  return chosen.map((module) => partOf(module, settings, where));
}

function partOf(module: LoraModule, settings: LoraSettings, where: string): LoraPartSpec {
  const r = byPattern(settings.rankPattern, module.name, where) ?? settings.r;
  const alpha = byPattern(settings.alphaPattern, module.name, where) ?? settings.alpha;
  checkLoraSettings({ ...settings, r, alpha });
  const name = peftPrefix + module.name;
  return {
    module,
    r,
    scale: alpha / (settings.rslora ? Math.sqrt(r) : r),
    a: { name: `${name}.lora_A.weight`, rows: r, cols: module.in },
    b: { name: `${name}.lora_B.weight`, rows: module.out, cols: r },
  };
}

function refusal(target: string, modules: readonly LoraModule[]): string {
  if (target === "score") return "score is the reward head: it learns as a whole and is always saved";
  if (target === "lm_head")
    return "the model's rewards do not read lm_head: it is a target for implicit rewards of a causal LM only";
  if (/^(embed_tokens|wte|wpe)$/.test(target)) return `${target}: low-rank embeddings are not implemented`;
  return `${JSON.stringify(target)} is no linear layer of this model; there are ${ends(modules)}, or all-linear`;
}

/** The last parts of the modules' names, once each. */
function ends(modules: readonly LoraModule[]): string {
  return [...new Set(modules.map(({ name }) => name.slice(name.lastIndexOf(".") + 1)))].join(", ");
}
