/**
 * @file Qwen3's float64 reference. No golden covers it: what is tested follows from the formula, and from Llama's
 * reference, which the goldens do cover.
 */
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/model/config.ts";
import { expectedTensors } from "../../src/model/families/tensors.ts";
import { relativeError } from "./error.ts";
import { referenceForward } from "./forward.ts";
import { values } from "./values.ts";

describe("Qwen3, which has no golden: what follows from the formula", () => {
  const json = {
    model_type: "qwen3",
    hidden_size: 12,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 8,
    num_hidden_layers: 2,
    intermediate_size: 20,
    vocab_size: 30,
  };
  const config = parseConfig(json, "c");
  const weights = () =>
    new Map(
      expectedTensors(config).map((spec, i) => [
        spec.names[0] ?? "",
        {
          data: values(
            spec.shape.reduce((a, b) => a * b),
            i,
          ).map((v) => v + (spec.shape.length === 1 ? 2 : 0)),
        },
      ]),
    );
  const ids = [3, 17, 3, 29, 0, 8];
  const last = (w: ReturnType<typeof weights>, c = config) =>
    referenceForward(c, w, ids).hiddenStates[2] ?? [];
  const scaled = (name: string, factor: number) => {
    const w = weights();
    const tensor = w.get(name);
    if (!tensor) throw new Error(name);
    w.set(name, { data: tensor.data.map((v) => v * factor) });
    return w;
  };

  it("does not feel the scale of the q and k projections (with no epsilon), but that of v", () => {
    const exact = { ...config, normEps: 0 };
    for (const which of ["q", "k"]) {
      const w = scaled(`model.layers.1.self_attn.${which}_proj.weight`, 7);
      expect(relativeError(last(w, exact), last(weights(), exact))).toBeLessThan(1e-12);
    }
    const v = scaled("model.layers.1.self_attn.v_proj.weight", 7);
    expect(relativeError(last(v, exact), last(weights(), exact))).toBeGreaterThan(1e-2);
  });

  it("takes q_norm's and k_norm's gains as factors of the attention scale", () => {
    const twice = { ...config, attentionScale: 2 * config.attentionScale };
    for (const which of ["q", "k"]) {
      const w = weights();
      for (const layer of [0, 1]) {
        const name = `model.layers.${layer}.self_attn.${which}_norm.weight`;
        w.set(name, { data: (w.get(name)?.data ?? new Float64Array()).map((g) => 2 * g) });
      }
      expect(relativeError(last(w), last(weights(), twice))).toBeLessThan(1e-12);
      expect(relativeError(last(w), last(weights()))).toBeGreaterThan(1e-4);
    }
  });

  it("is Llama where q and k are not normalised", () => {
    const plain = { ...config, qkNorm: false };
    const llama = parseConfig({ ...json, model_type: "llama" }, "c");
    expect(last(weights(), plain)).toEqual(last(weights(), llama));
  });
});
