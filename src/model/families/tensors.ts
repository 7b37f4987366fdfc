/**
 * @file From a config to the tensors that its checkpoint holds, and from a checkpoint's names to their roles.
 */
import { InputError } from "../../errors.ts";
import type { Architecture, FamilyName, ModelConfig } from "../config.ts";
import type { Role, TensorSpec } from "./family.ts";
import { FAMILIES } from "./registry.ts";

/** Names of the heads, which stand outside of the prefix in every family. */
const HEADS = { lm_head: "lm_head.weight", score: "score.weight" } as const;

/** What a header says of one tensor. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
}

export interface ResolvedTensors {
  /** Checkpoint name by `tensorKey`. */
  readonly found: ReadonlyMap<string, string>;
  /** First accepted names of the optional tensors that the checkpoint lacks. */
  readonly missing: readonly string[];
  /** Names that no role asks for, without the buffers that are known to be idle. */
  readonly unused: readonly string[];
}

/** The key of a role in `ResolvedTensors.found`: `embed`, `3.q.weight`. */
export function tensorKey(role: Role, layer?: number): string {
  return layer === undefined ? role : `${layer}.${role}`;
}

/**
 * Every tensor of a checkpoint with this config. A tied causal LM has no `lm_head` here: its head is `embed`, also
 * where a file stores a copy. A sequence classifier has an optional `score` [1, hidden].
 */
export function expectedTensors(config: ModelConfig): TensorSpec[] {
  const family = FAMILIES[config.family];
  const specs: TensorSpec[] = family.backbone(config).map(({ name, transposed = false, ...rest }) => ({
    ...rest,
    names: [family.prefix + name, name],
    transposed,
    optional: false,
  }));
  if (config.architecture === "causal-lm" && !config.tied) {
    const shape = [config.vocabSize, config.hiddenSize];
    specs.push({ role: "lm_head", names: [HEADS.lm_head], shape, transposed: false, optional: false });
  }
  if (config.architecture === "sequence-classification") {
    const shape = [1, config.hiddenSize];
    specs.push({ role: "score", names: [HEADS.score], shape, transposed: false, optional: true });
  }
  return specs;
}

/**
 * Finds each role's tensor among the checkpoint's (all shards together). Throws InputError naming the tensors that
 * are missing, or the one whose shape is not the config's.
 */
export function resolveTensors(
  config: ModelConfig,
  stored: ReadonlyMap<string, StoredTensor>,
): ResolvedTensors {
  const found = new Map<string, string>();
  const missing: string[] = [];
  const required: string[] = [];
  const used = new Set<string>();
  for (const spec of expectedTensors(config)) {
    const name = spec.names.find((candidate) => stored.has(candidate));
    const info = name === undefined ? undefined : stored.get(name);
    if (name === undefined || info === undefined) {
      (spec.optional ? missing : required).push(spec.names[0] ?? spec.role);
      continue;
    }
    if (info.shape.length !== spec.shape.length || info.shape.some((n, i) => n !== spec.shape[i])) {
      throw new InputError(
        `tensor ${name} has shape [${info.shape.join(", ")}], but config.json asks for [${spec.shape.join(", ")}]; ` +
          "the weights and the config belong to different models",
      );
    }
    found.set(tensorKey(spec.role, spec.layer), name);
    used.add(name);
  }
  if (required.length > 0) {
    const more = required.length > 10 ? `, and ${required.length - 10} more` : "";
    throw new InputError(
      `the checkpoint lacks ${required.length} of the tensors of a ${architectureName(config.family, config.architecture)}: ` +
        `${required.slice(0, 10).join(", ")}${more}`,
    );
  }
  const idle = (name: string) =>
    FAMILIES[config.family].buffers.test(name) || (config.tied && name === HEADS.lm_head);
  const unused = [...stored.keys()].filter((name) => !used.has(name) && !idle(name));
  return { found, missing, unused };
}

/** transformers' class name, for `architectures` in config.json. */
export function architectureName(family: FamilyName, architecture: Architecture): string {
  return FAMILIES[family].architectures[architecture];
}

/**
 * The name under which a *ForSequenceClassification or *ForCausalLM checkpoint of this config stores a role.
 * Throws RangeError when the family has no such tensor.
 */
export function hfName(config: ModelConfig, role: Role, layer?: number): string {
  if (role === "lm_head" || role === "score") return HEADS[role];
  const family = FAMILIES[config.family];
  const tensor = family.backbone(config).find((t) => t.role === role && t.layer === layer);
  if (!tensor) throw new RangeError(`a ${config.family} model has no tensor ${tensorKey(role, layer)}`);
  return family.prefix + tensor.name;
}
