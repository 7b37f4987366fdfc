/**
 * @file The Llama block as an ONNX graph of the operators that onnxruntime itself makes of such models when it optimises
 * them (its domain com.microsoft): fused rotary embedding and attention, the residual's sum and the norm after it in one.
 * With plain attention that one operator is taken apart: on a CPU adapter the WebGPU provider's own gives wrong results.
 */
import { join } from "node:path";
import type { CaseInput } from "../contestant.ts";
import { modelConfig, rotaryTables } from "../model.ts";
import { type HostTensor, readTensors, tensorOf, transposed } from "../tensors.ts";
import type { OnnxGraph } from "./onnx.ts";

const contrib = { domain: "com.microsoft" };

export async function blockGraph(
  model: OnnxGraph,
  { definition, model: dir = "" }: CaseInput,
  plainAttention: boolean,
): Promise<{ model: OnnxGraph; x: HostTensor }> {
  const { rows = 0, hidden = 0 } = definition.sizes;
  const config = modelConfig(definition.sizes);
  const weights = await readTensors(join(dir, "model.safetensors"));
  const at = (name: string) => tensorOf(weights, `model.layers.0.${name}.weight`);
  const heads = config.num_attention_heads;
  const epsilon = { epsilon: { float: config.rms_norm_eps } };
  const linear = (x: string, name: string) =>
    model.node("MatMul", [x, model.constant(name, transposed(at(name)))]);

  model.input("x", [1, rows, hidden]);
  const first = model.constant("first norm", at("input_layernorm"));
  const normed = model.node("SimplifiedLayerNormalization", ["x", first], epsilon);
  const { cos, sin } = rotaryTables(config, rows);
  const positions = model.integers("positions", [1, rows], [...Array(rows).keys()]);
  const tables = [positions, model.constant("cos", cos), model.constant("sin", sin)];
  const rotated = (which: string) =>
    model.node(
      "RotaryEmbedding",
      [linear(normed, `self_attn.${which}_proj`), ...tables],
      { num_heads: heads },
      contrib,
    );
  const qkv = [rotated("q"), rotated("k"), linear(normed, "self_attn.v_proj")];
  const mixed = plainAttention
    ? attention(model, qkv, { rows, hidden, heads })
    : model.node("MultiHeadAttention", qkv, { num_heads: heads, unidirectional: 1 }, contrib);
  const out = linear(mixed, "self_attn.o_proj");
  const second = model.constant("second norm", at("post_attention_layernorm"));
  // Its fourth output is the sum itself.
  model.node("SkipSimplifiedLayerNormalization", [out, "x", second], epsilon, {
    ...contrib,
    outputs: ["again", "", "", "middle"],
  });
  const gate = linear("again", "mlp.gate_proj");
  const silu = model.node("QuickGelu", [gate], { alpha: { float: 1 } }, contrib);
  const product = model.node("Mul", [silu, linear("again", "mlp.up_proj")]);
  const down = linear(product, "mlp.down_proj");
  const last = model.constant("last norm", tensorOf(weights, "model.norm.weight"));
  model.node("SkipSimplifiedLayerNormalization", [down, "middle", last], epsilon, {
    ...contrib,
    outputs: ["y"],
  });
  model.output("y", [1, rows, hidden]);

  const { values } = tensorOf(weights, "model.embed_tokens.weight");
  return { model, x: { shape: [1, rows, hidden], values } };
}

/** softmax(q k^T / sqrt(D) + mask) v, heads apart. @param qkv each [1, T, hidden] */
function attention(
  model: OnnxGraph,
  qkv: readonly string[],
  { rows, hidden, heads }: { readonly rows: number; readonly hidden: number; readonly heads: number },
): string {
  const apart = model.integers("heads apart", [4], [1, rows, heads, hidden / heads]);
  const [q = "", k = "", v = ""] = qkv.map((part, i) =>
    model.node("Transpose", [model.node("Reshape", [part, apart])], {
      perm: i === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3],
    }),
  );
  const scale = model.constant("scale", { shape: [1], values: Float32Array.of((hidden / heads) ** -0.5) });
  const future = Float32Array.from({ length: rows * rows }, (_, i) =>
    i % rows > Math.floor(i / rows) ? -1e9 : 0,
  );
  const mask = model.constant("mask", { shape: [1, 1, rows, rows], values: future });
  const scores = model.node("Add", [model.node("Mul", [model.node("MatMul", [q, k]), scale]), mask]);
  const mixed = model.node("MatMul", [model.node("Softmax", [scores], { axis: -1 }), v]);
  const together = model.integers("heads together", [3], [1, rows, hidden]);
  return model.node("Reshape", [model.node("Transpose", [mixed], { perm: [0, 2, 1, 3] }), together]);
}
