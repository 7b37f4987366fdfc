/** @file What of a model learns, and what it is called and shaped like in a checkpoint. */
import type { ParameterSpec } from "../tensor/parameters.ts";
import type { LoraPartSpec } from "./adapter/parts.ts";
import type { ModelConfig } from "./config.ts";
import { type DecoderPart, decoderParts, lmHeadPart } from "./decoder-parts.ts";
import { headName } from "./reward-head.ts";

/** One tensor of a checkpoint, as a run of a parameter's values. */
export interface StoredRange {
  /** Under which *ForSequenceClassification, *ForCausalLM or PEFT store it. */
  readonly name: string;
  readonly shape: readonly number[];
  /** First of its values among the parameter's, [rows, cols] without padding. */
  readonly first: number;
  readonly count: number;
  /** Stored [in, out]: rows and columns change places. */
  readonly transposed: boolean;
}

/** What learns as one. Weight decay spares norms and biases, as transformers' Trainer does. */
export interface ModelParameter extends ParameterSpec {
  readonly decay: boolean;
  readonly stored: readonly StoredRange[];
}

/** Every weight of the decoder. @param lmHead whether an untied vocabulary head learns too */
export function fullParameters(config: ModelConfig, lmHead: boolean): ModelParameter[] {
  const parts = decoderParts(config);
  if (lmHead && !config.tied) parts.push(lmHeadPart(config));
  return parts.map(parameterOf);
}

export function loraParameters(parts: readonly LoraPartSpec[]): ModelParameter[] {
  return parts.flatMap(({ a, b }) => [a, b].map(({ name, rows, cols }) => plain(name, rows, cols)));
}

/** The reward head's parameters share a learning rate of their own. */
export const headGroup = "head";

/** The reward head, [1, H]. */
export function headParameter({ hiddenSize }: ModelConfig): ModelParameter {
  return { ...plain(headName, 1, hiddenSize), group: headGroup };
}

/** A parameter's values [rows, cols] as the tensors that a checkpoint stores. */
export function storedValues(
  { stored }: ModelParameter,
  values: Float32Array,
): Map<string, Float32Array<ArrayBuffer>> {
  return new Map(stored.map((range) => [range.name, valuesOf(values, range)]));
}

function parameterOf({ name, kind, specs, rows, cols }: DecoderPart): ModelParameter {
  let first = 0;
  const stored = specs.map(({ names: [own = name], shape, transposed }): StoredRange => {
    const count = shape.reduce((product, n) => product * n, 1);
    const range = { name: own, shape, first, count, transposed };
    first += count;
    return range;
  });
  return { name, rows, cols, decay: kind === "matrix", stored };
}

function plain(name: string, rows: number, cols: number): ModelParameter {
  const stored = { name, shape: [rows, cols], first: 0, count: rows * cols, transposed: false };
  return { name, rows, cols, decay: true, stored: [stored] };
}

function valuesOf(values: Float32Array, { shape, first, count, transposed }: StoredRange) {
  const own = Float32Array.from(values.subarray(first, first + count));
  if (!transposed) return own;
  const [inputs = 1, outputs = 1] = shape;
  return own.map((_, i) => own[(i % outputs) * inputs + Math.floor(i / outputs)] ?? 0);
}
