/**
 * @file The tensors of a decoder as the device holds them: which of the checkpoint's make up each one, and its shape.
 * Linears that read the same activation lie below each other in one tensor, so that one matmul computes all of them.
 */
import type { ModelConfig } from "./config.ts";
import type { Role, TensorSpec } from "./families/family.ts";
import { expectedTensors, tensorKey } from "./families/tensors.ts";

/** The linears of a layer, as the device holds them. up: SwiGLU's gate and up together. */
export const linearNames = ["qkv", "out", "up", "down"] as const;
export type LinearName = (typeof linearNames)[number];

export interface DecoderPart {
  /** Of no other part of the model. */
  readonly name: string;
  /** A vector is one row, and f32 on the device whatever the file says. */
  readonly kind: "matrix" | "vector";
  /** In order: rows below each other, or vectors end to end. */
  readonly specs: readonly TensorSpec[];
  /** Shape on the device: of a linear [out, in], of a vector [1, n]. */
  readonly rows: number;
  readonly cols: number;
}

export const partName = {
  embed: "embed",
  positions: "positions",
  finalNorm: "final_norm",
  norm: (layer: number, which: "attn" | "mlp" | "q" | "k") => `layer ${layer} ${which}_norm`,
  linear: (layer: number, which: LinearName) => `layer ${layer} ${which}`,
  bias: (name: string) => `${name} bias`,
} as const;

/** Every part of the decoder, without heads. */
export function decoderParts(config: ModelConfig): DecoderPart[] {
  const specs = new Map(expectedTensors(config).map((spec) => [tensorKey(spec.role, spec.layer), spec]));
  const parts: DecoderPart[] = [];
  const add = (name: string, kind: DecoderPart["kind"], roles: readonly Role[], layer?: number) => {
    const found = roles.flatMap((role) => specs.get(tensorKey(role, layer)) ?? []);
    if (found.length === roles.length) parts.push({ name, kind, specs: found, ...deviceShape(kind, found) });
  };
  const norm = (name: string, role: "attn_norm" | "mlp_norm" | "final_norm", layer?: number) => {
    add(name, "vector", [`${role}.weight`], layer);
    add(partName.bias(name), "vector", [`${role}.bias`], layer);
  };
  const linear = (name: LinearName, layer: number) => {
    const roles = linearRoles(specs.has(tensorKey("qkv.weight", layer)), config)[name];
    const label = partName.linear(layer, name);
    const weights = roles.map((role): Role => `${role}.weight`);
    const biases = roles.map((role): Role => `${role}.bias`);
    add(label, "matrix", weights, layer);
    add(partName.bias(label), "vector", biases, layer);
  };
  for (let layer = 0; layer < config.layers; layer++) {
    norm(partName.norm(layer, "attn"), "attn_norm", layer);
    linear("qkv", layer);
    add(partName.norm(layer, "q"), "vector", ["q_norm.weight"], layer);
    add(partName.norm(layer, "k"), "vector", ["k_norm.weight"], layer);
    linear("out", layer);
    norm(partName.norm(layer, "mlp"), "mlp_norm", layer);
    linear("up", layer);
    linear("down", layer);
  }
  add(partName.embed, "matrix", ["embed"]);
  add(partName.positions, "matrix", ["positions"]);
  norm(partName.finalNorm, "final_norm");
  return parts;
}

/** An untied vocabulary head, [V, H]. */
export function lmHeadPart(config: ModelConfig): DecoderPart {
  const spec = expectedTensors(config).find(({ role }) => role === "lm_head");
  if (spec === undefined) throw new Error("The model has no vocabulary head of its own");
  return { name: "lm_head", kind: "matrix", specs: [spec], ...storedShape(spec) };
}

type LinearRole = "qkv" | "q" | "k" | "v" | "o" | "gate" | "up" | "down";

function linearRoles(
  fused: boolean,
  { activation }: ModelConfig,
): Readonly<Record<LinearName, readonly LinearRole[]>> {
  return {
    qkv: fused ? ["qkv"] : ["q", "k", "v"],
    out: ["o"],
    up: activation === "swiglu" ? ["gate", "up"] : ["up"],
    down: ["down"],
  };
}

/** Rows and columns of one stored tensor on the device. */
export function storedShape({ shape, transposed }: TensorSpec): { rows: number; cols: number } {
  const [a = 1, b = a] = shape.length === 1 ? [1, shape[0]] : shape;
  return transposed ? { rows: b, cols: a } : { rows: a, cols: b };
}

function deviceShape(kind: DecoderPart["kind"], specs: readonly TensorSpec[]) {
  const shapes = specs.map(storedShape);
  const sum = (key: "rows" | "cols") => shapes.reduce((total, shape) => total + shape[key], 0);
  return kind === "vector"
    ? { rows: 1, cols: sum("cols") }
    : { rows: sum("rows"), cols: shapes[0]?.cols ?? 0 };
}
