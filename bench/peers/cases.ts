/** @file What is timed: the operations at the shapes of docs/performance.md, with inputs that are the same everywhere. */
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
  | "block"
  | "block_gradient"
  | "training_step";

export interface PeerCase {
  readonly name: string;
  readonly operation: Operation;
  /** What is computed, for a reader. */
  readonly shape: string;
  /** linear: rows, inputs, outputs; row kernels: rows, cols; a model: rows (tokens), and its config. */
  readonly sizes: Readonly<Record<string, number>>;
  /** What a training step learns from. */
  readonly pairs?: readonly TokenPair[];
  /** Of one run; a multiply-add counts as two. 0: memory decides. */
  readonly flops: number;
}

const linear = (rows: number, outputs: number, inputs: number): PeerCase => ({
  name: `matmul ${rows}x${outputs}x${inputs}`,
  operation: "linear",
  shape: `[${rows}, ${inputs}] by [${inputs}, ${outputs}]`,
  sizes: { rows, inputs, outputs },
  flops: 2 * rows * inputs * outputs,
});

const rowWise = (operation: "layer_norm" | "rms_norm" | "softmax", rows: number, cols: number): PeerCase => ({
  name: `${operation.replace("_", " ")} ${rows}x${cols}`,
  operation,
  shape: `[${rows}, ${cols}]`,
  sizes: { rows, cols },
  flops: 0,
});

/** A Llama block between the embedding's rows and the final norm. */
const blockSizes = { rows: 256, hidden: 288, heads: 6, intermediate: 768, layers: 1, vocabulary: 256 };

const blockFlops = ({ rows, hidden, intermediate }: typeof blockSizes) =>
  2 * rows * hidden * (4 * hidden + 3 * intermediate) + 2 * rows * (rows + 1) * hidden;

const block = (operation: "block" | "block_gradient"): PeerCase => ({
  name: operation === "block" ? "block forward" : "block forward and backward",
  operation,
  shape: "hidden 288, 6 heads, feed-forward 768, 256 tokens",
  sizes: blockSizes,
  flops: (operation === "block" ? 1 : 3) * blockFlops(blockSizes),
});

/** A step of all weights of a small Llama with a reward head: forward, backward, clipping, AdamW; the loss is read. */
async function trainingStep(count: number): Promise<PeerCase> {
  const { pairs, source } = await realPairs(count);
  const { real, padded, shared } = tokenCounts(pairs);
  const sizes = { hidden: 288, heads: 6, intermediate: 768, layers: 6, vocabulary: 2048 };
  return {
    name: "training step",
    operation: "training_step",
    shape: `hidden 288, 6 layers, ${count} pairs of ${source}: ${real} tokens, ${padded} when padded, ${shared} with each prompt once`,
    sizes,
    pairs,
    flops: 0,
  };
}

export const learningRate = 1e-5;

/** @param pairs of the training step */
export const cases = async (pairs: number): Promise<PeerCase[]> => [
  linear(256, 768, 768),
  linear(512, 512, 512),
  linear(1024, 1024, 1024),
  linear(256, 2048, 768),
  rowWise("layer_norm", 1024, 1024),
  rowWise("rms_norm", 1024, 1024),
  rowWise("softmax", 1024, 1024),
  block("block"),
  block("block_gradient"),
  await trainingStep(pairs),
];

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
  const { rows = 0, inputs = 0, outputs = 0, cols = 0, hidden = 0 } = sizes;
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
    case "training_step":
      return new Map();
    default:
      return new Map([["dy", noise(4, [rows, hidden])]]);
  }
}
