/** @file What is timed beside the peers: the operations at the shapes of docs/performance.md. */
import { linear, type PeerCase, rowWise, trainingStep } from "./peer-case.ts";

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
  await trainingStep(pairs, { hidden: 288, heads: 6, intermediate: 768, layers: 6 }),
];
