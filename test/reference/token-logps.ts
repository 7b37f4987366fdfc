/** @file Log-probabilities of tokens and their gradients in float64: log softmax(h W^T)[target]. */
import { linear } from "./layers.ts";
import type { Vector } from "./pointwise.ts";

/** log-softmax over each row of `width` logits. */
function logSoftmaxRows(logits: Vector, width: number): Float64Array {
  const out = new Float64Array(logits.length);
  for (let begin = 0; begin < logits.length; begin += width) {
    let most = Number.NEGATIVE_INFINITY;
    for (let v = 0; v < width; v++) most = Math.max(most, logits[begin + v]!);
    let sum = 0;
    for (let v = 0; v < width; v++) sum += Math.exp(logits[begin + v]! - most);
    for (let v = 0; v < width; v++) out[begin + v] = logits[begin + v]! - most - Math.log(sum);
  }
  return out;
}

/** hidden [E, H], weight [V, H], targets [E] -> [E]. */
export function tokenLogps(hidden: Vector, weight: Vector, targets: Int32Array, width: number): Float64Array {
  const vocabulary = weight.length / width;
  const logps = logSoftmaxRows(linear(hidden, weight, width), vocabulary);
  return Float64Array.from(targets, (target, e) => logps[e * vocabulary + target]!);
}

/** Gradients of sum_e g_e logp_e with respect to hidden [E, H] and weight [V, H]. */
export function tokenLogpsGradients(
  hidden: Vector,
  weight: Vector,
  targets: Int32Array,
  gradient: Vector,
  width: number,
): { hidden: Float64Array; weight: Float64Array } {
  const vocabulary = weight.length / width;
  const logps = logSoftmaxRows(linear(hidden, weight, width), vocabulary);
  const dHidden = new Float64Array(hidden.length);
  const dWeight = new Float64Array(weight.length);
  for (const [e, target] of targets.entries()) {
    for (let v = 0; v < vocabulary; v++) {
      const d = gradient[e]! * ((v === target ? 1 : 0) - Math.exp(logps[e * vocabulary + v]!));
      for (let i = 0; i < width; i++) {
        dHidden[e * width + i]! += d * weight[v * width + i]!;
        dWeight[v * width + i]! += d * hidden[e * width + i]!;
      }
    }
  }
  return { hidden: dHidden, weight: dWeight };
}
