/** @file A case: an operation at a shape, with inputs that are the same on every machine. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { modelConfig, modelTensors } from "./model.ts";
import { realPairs, type TokenPair, tokenCounts } from "./pairs.ts";
import { noise, type Tensors, writeTensors } from "./tensors.ts";

export type Operation =
  | "linear"
  | "layer_norm"
  | "rms_norm"
  | "softmax"
  | "swiglu"
  | "attention"
  | "attention_gradient"
  | "block"
  | "block_gradient"
  | "training_step";

export interface PeerCase {
  readonly name: string;
  readonly operation: Operation;
  /** What is computed, for a reader. */
  readonly shape: string;
  /**
   * linear: rows, inputs, outputs; row kernels: rows, cols; attention: rows, heads, headDim; a model: rows (tokens) and
   * what modelConfig reads. repeats: how often a run does it before it waits for the device; default 1.
   */
  readonly sizes: Readonly<Record<string, number>>;
  /** What a training step learns from. */
  readonly pairs?: readonly TokenPair[];
  /** Of doing it once; a multiply-add counts as two. 0: memory decides. */
  readonly flops: number;
  /** Of all inputs, each read once, and of all outputs, where memory decides. */
  readonly bytes?: number;
}

export const linear = (rows: number, outputs: number, inputs: number): PeerCase => ({
  name: `matmul ${rows}x${outputs}x${inputs}`,
  operation: "linear",
  shape: `[${rows}, ${inputs}] by [${inputs}, ${outputs}]`,
  sizes: { rows, inputs, outputs },
  flops: 2 * rows * inputs * outputs,
});

export const rowWise = (
  operation: "layer_norm" | "rms_norm" | "softmax",
  rows: number,
  cols: number,
): PeerCase => ({
  name: `${operation.replace("_", " ")} ${rows}x${cols}`,
  operation,
  shape: `[${rows}, ${cols}]`,
  sizes: { rows, cols },
  flops: 0,
  bytes: 8 * rows * cols,
});

export interface StepSizes {
  readonly hidden: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly layers: number;
}

/** A step of all weights of a small Llama with a reward head: forward, backward, clipping, AdamW; the loss is read. */
export async function trainingStep(count: number, size: StepSizes): Promise<PeerCase> {
  const { pairs, source } = await realPairs(count);
  const { real, padded, shared } = tokenCounts(pairs);
  const sizes = { ...size, vocabulary: 2048 };
  return {
    name: "training step",
    operation: "training_step",
    shape: `hidden ${size.hidden}, ${size.layers} layers, ${count} pairs of ${source}: ${real} tokens, ${padded} when padded, ${shared} with each prompt once`,
    sizes,
    pairs,
    flops: 0,
  };
}

export const learningRate = 1e-5;
export const eps = 1e-5;

/** Writes a case's description and tensors into a folder, from which each contestant's process reads them. */
export async function writeCase(definition: PeerCase, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "case.json"), JSON.stringify(definition));
  await writeTensors(join(dir, "inputs.safetensors"), inputsOf(definition));
  if (!isModel(definition)) return;
  const config = modelConfig(definition.sizes);
  await mkdir(join(dir, "model"), { recursive: true });
  await writeFile(join(dir, "model", "config.json"), JSON.stringify(config, undefined, 2));
  await writeTensors(join(dir, "model", "model.safetensors"), modelTensors(config));
}

export const isModel = ({ operation }: PeerCase) =>
  operation === "block" || operation === "block_gradient" || operation === "training_step";

function inputsOf({ operation, sizes }: PeerCase): Tensors {
  const { rows = 0, inputs = 0, outputs = 0, cols = 0, hidden = 0, heads = 0, headDim = 0 } = sizes;
  switch (operation) {
    case "linear":
      return new Map([
        ["x", noise(1, [rows, inputs])],
        ["weight", noise(2, [outputs, inputs], inputs ** -0.5)],
      ]);
    case "layer_norm":
    case "rms_norm":
      return new Map([
        ["x", noise(1, [rows, cols], 3)],
        ["weight", noise(2, [cols])],
        ["bias", noise(3, [cols])],
      ]);
    case "softmax":
      return new Map([["x", noise(1, [rows, cols], 5)]]);
    case "swiglu":
      return new Map([["x", noise(1, [rows, 2 * cols], 3)]]);
    case "attention":
    case "attention_gradient":
      return new Map([
        ["x", noise(1, [rows, 3 * heads * headDim])],
        ["dy", noise(2, [rows, heads * headDim])],
      ]);
    case "training_step":
      return new Map();
    default:
      return new Map([["dy", noise(4, [rows, hidden])]]);
  }
}
