/**
 * @file rmtrain itself. Its modes: "transfers", where each run also uploads its activations and downloads its results, as
 * a run of onnxruntime-node has to (without, both stay on the device, as they do in training); "unchecked", without
 * Dawn's checks of indices (robustness) and calls; "f16", the class of --precision f16, for linears and training.
 */
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { PrecisionError } from "../../../src/gpu/precision.ts";
import { openGpu } from "../../../src/kernels/open.ts";
import type { CaseInput, Contestant, Prepared } from "../contestant.ts";
import { prepareBlock, prepareBlockGradient } from "./rmtrain-block.ts";
import { prepareRows } from "./rmtrain-rows.ts";
import { prepareStep } from "./rmtrain-step.ts";
import { provideWebGpu } from "./webgpu-globals.ts";

export type Mode = "transfers" | "unchecked" | "f16";

export interface How {
  readonly gpu: Gpu;
  readonly modes: ReadonlySet<Mode>;
}

export async function open(...modes: Mode[]): Promise<Contestant> {
  const how = { gpu: await openFor(modes), modes: new Set(modes) };
  const { facts, precision } = how.gpu;
  return {
    version: [`rmtrain, ${precision} on ${facts.description || facts.device}`, ...modes].join(", "),
    prepare: (input) => prepare(how, input),
  };
}

async function openFor(modes: readonly Mode[]): Promise<Gpu> {
  if (modes.includes("unchecked")) await provideWebGpu(["disable_robustness", "skip_validation"]);
  if (!modes.includes("f16")) return await openGpu();
  try {
    return await openGpu({ precision: "f16" });
  } catch (error) {
    if (!(error instanceof PrecisionError)) throw error;
    // Without matrix units: the same numbers, slowly. The version says so.
    return await openGpu({ precision: "f16-emulated" });
  }
}

async function prepare(how: How, input: CaseInput): Promise<Prepared | undefined> {
  const { operation } = input.definition;
  if (how.modes.has("f16") && operation !== "linear" && operation !== "training_step") return undefined;
  switch (operation) {
    case "block":
      return await prepareBlock(how, input);
    case "block_gradient":
      return how.modes.has("transfers") ? undefined : await prepareBlockGradient(how.gpu, input);
    case "training_step":
      return how.modes.has("transfers") ? undefined : await prepareStep(how.gpu, input);
    default:
      return prepareRows(how, input);
  }
}
