/** @file The linears of a model that can have a low-rank update: PEFT's names for them, and where the device holds them. */
import type { ModelConfig } from "../config.ts";
import { decoderParts, type LinearName, linearNames, partName, storedShape } from "../decoder-parts.ts";
import type { Role, TensorSpec } from "../families/family.ts";
import { expectedTensors } from "../families/tensors.ts";

export interface LoraModule {
  /** transformers' name, "model.layers.0.self_attn.q_proj". */
  readonly name: string;
  /** Its weight in the checkpoint. */
  readonly role: Role;
  /** Undefined for the vocabulary head. */
  readonly layer: number | undefined;
  /** The linear on the device that it is part of. */
  readonly linear: LinearName | "lm_head";
  /** First of its output columns in that linear. */
  readonly first: number;
  readonly out: number;
  readonly in: number;
  /** Stored [in, out]: GPT-2's Conv1D. */
  readonly transposed: boolean;
  /** Its number among all modules of the model, whichever are targets: initial values and dropout depend on it. */
  readonly index: number;
}

/**
 * In the order in which they are computed with.
 * @param lmHead whether an untied vocabulary head counts: it plays no part in a scalar reward
 */
export function loraModules(config: ModelConfig, { lmHead = false } = {}): LoraModule[] {
  const parts = new Map(decoderParts(config).map((part) => [part.name, part]));
  const modules: LoraModule[] = [];
  const add = (
    spec: TensorSpec,
    at: Pick<LoraModule, "layer" | "linear" | "first">,
    name = moduleName(spec),
  ) => {
    const { rows, cols } = storedShape(spec);
    const { role, transposed } = spec;
    modules.push({ ...at, name, role, out: rows, in: cols, transposed, index: modules.length });
    return rows;
  };
  for (let layer = 0; layer < config.layers; layer++) {
    for (const linear of linearNames) {
      let first = 0;
      for (const spec of parts.get(partName.linear(layer, linear))?.specs ?? [])
        first += add(spec, { layer, linear, first });
    }
  }
  if (lmHead && config.architecture === "causal-lm") addHead(config, add);
  return modules;
}

/** A tied head is the embedding's weight under the head's name: the update is the head's alone. */
function addHead(
  config: ModelConfig,
  add: (spec: TensorSpec, at: Pick<LoraModule, "layer" | "linear" | "first">, name: string) => number,
): void {
  const role = config.tied ? "embed" : "lm_head";
  const spec = expectedTensors(config).find((s) => s.role === role);
  if (spec !== undefined) add(spec, { layer: undefined, linear: "lm_head", first: 0 }, "lm_head");
}

function moduleName({ names: [name = ""] }: TensorSpec): string {
  return name.replace(/\.weight$/, "");
}
