/**
 * @file adapter_config.json as PEFT reads and writes it. A setting that changes the arithmetic and is not implemented is
 * refused by name, never ignored; so is a setting that this version does not know, unless it is off.
 */
import { z } from "zod";
import { notImplemented, readFields } from "../families/fields.ts";
import type { LoraSettings } from "./settings.ts";

export const CONFIG_FILE = "adapter_config.json";

/** PEFT's names of what the adapted model does: a classifier's score, or next-token logits. */
export const adapterTasks = ["SEQ_CLS", "CAUSAL_LM"] as const;
export type AdapterTask = (typeof adapterTasks)[number];

export interface PeftConfig {
  /** Undefined where the file does not say. */
  readonly task: AdapterTask | undefined;
  readonly settings: LoraSettings;
  /** Of the base, as it was called when the adapter was made. */
  readonly baseName: string | undefined;
}

const names = z.union([z.string(), z.array(z.string())]);
const schema = z.looseObject({
  peft_type: z.string(),
  task_type: z.string().nullish(),
  base_model_name_or_path: z.string().nullish(),
  r: z.int().positive().default(8),
  lora_alpha: z.number().positive().default(8),
  lora_dropout: z.number().min(0).lt(1).default(0),
  target_modules: names,
  exclude_modules: names.nullish(),
  layers_to_transform: z.union([z.int(), z.array(z.int())]).nullish(),
  layers_pattern: names.nullish(),
  modules_to_save: z.array(z.string()).nullish(),
  use_rslora: z.boolean().nullish(),
  rank_pattern: z.record(z.string(), z.int().positive()).nullish(),
  alpha_pattern: z.record(z.string(), z.number().positive()).nullish(),
  bias: z.string().nullish(),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
});

/** Read above, or no part of what a trained adapter computes: how it began, and for whom it was written. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...Object.keys(schema.shape),
  ...["auto_mapping", "revision", "inference_mode", "peft_version", "runtime_config"],
  ...["megatron_config", "megatron_core", "qalora_group_size", "ensure_weight_tying"],
  ...["corda_config", "eva_config", "lora_ga_config"],
  "fan_in_fan_out", // how the base's weights lie, which the base's family says
]);

/** Ways to begin that leave the base's weights as they are. */
const PLAIN_INITS: readonly unknown[] = [true, false, null, undefined, "gaussian", "eva", "orthogonal"];
/** The layers' lists, by which PEFT finds a layer's number. */
const LAYER_LISTS = ["layers", "h"];

/** @throws InputError naming the file and the setting */
export function parsePeftConfig(json: unknown, file: string): PeftConfig {
  const raw = readFields(schema, json, file);
  if (raw.peft_type !== "LORA") throw notImplemented(file, "peft_type", raw.peft_type, "LORA is");
  const task = adapterTasks.find((t) => t === raw.task_type);
  if (raw.task_type != null && task === undefined)
    throw notImplemented(file, "task_type", raw.task_type, `${adapterTasks.join(" and ")} are`);
  refuse(raw, file);
  const layers = raw.layers_to_transform;
  return {
    task,
    settings: {
      r: raw.r,
      alpha: raw.lora_alpha,
      dropout: raw.lora_dropout,
      targets: raw.target_modules,
      ...(raw.use_rslora ? { rslora: true } : {}),
      ...(isOff(raw.rank_pattern) ? {} : { rankPattern: raw.rank_pattern ?? {} }),
      ...(isOff(raw.alpha_pattern) ? {} : { alphaPattern: raw.alpha_pattern ?? {} }),
      ...(isOff(raw.exclude_modules) ? {} : { excluded: raw.exclude_modules ?? [] }),
      ...(layers == null ? {} : { layers: [layers].flat() }),
    },
    baseName: raw.base_model_name_or_path ?? undefined,
  };
}

function refuse(raw: z.infer<typeof schema>, file: string): void {
  if (raw.bias != null && raw.bias !== "none")
    throw notImplemented(file, "bias", raw.bias, "adapters that leave biases alone are");
  if (!PLAIN_INITS.includes(raw.init_lora_weights)) {
    throw notImplemented(
      file,
      "init_lora_weights",
      raw.init_lora_weights,
      "those that leave the base's weights as they are are",
    );
  }
  const saved = raw.modules_to_save?.find((name) => name !== "score" && name !== "classifier");
  if (saved !== undefined) throw notImplemented(file, "modules_to_save", saved, "the head, score, is");
  const lists = [raw.layers_pattern ?? []].flat();
  const other = lists.find((list) => !LAYER_LISTS.includes(list));
  if (other !== undefined) throw notImplemented(file, "layers_pattern", other, "layers and h are");
  for (const [key, value] of Object.entries(raw))
    if (!HARMLESS.has(key) && !isOff(value)) throw notImplemented(file, key, value, "plain LoRA is");
}

/** Null, false, or with nothing in it. */
function isOff(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false || value === "";
}

/**
 * What PEFT needs to load an adapter, by the names of its first versions where there is a choice.
 * @param fanInFanOut whether the targets' weights are stored [in, out]
 */
export function writePeftConfig(
  { task, settings, baseName }: PeftConfig & { readonly task: AdapterTask },
  fanInFanOut: boolean,
): Record<string, unknown> {
  if (typeof settings.targets === "string") throw new Error("Targets are saved as a list");
  return {
    alpha_pattern: settings.alphaPattern ?? {},
    auto_mapping: null,
    base_model_name_or_path: baseName ?? null,
    bias: "none",
    ...(settings.excluded === undefined ? {} : { exclude_modules: settings.excluded }),
    fan_in_fan_out: fanInFanOut,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: settings.layers ?? null,
    lora_alpha: settings.alpha,
    lora_dropout: settings.dropout,
    modules_to_save: task === "SEQ_CLS" ? ["score"] : null,
    peft_type: "LORA",
    r: settings.r,
    rank_pattern: settings.rankPattern ?? {},
    revision: null,
    target_modules: settings.targets,
    task_type: task,
    use_dora: false,
    use_rslora: settings.rslora ?? false,
  };
}
