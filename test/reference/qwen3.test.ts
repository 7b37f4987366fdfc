/**
 * @file What follows from Qwen3's formula, for any weights: norms of each head of q and k, before the rotation.
 */
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/model/config.ts";
import { expectedTensors } from "../../src/model/families/tensors.ts";
import { relativeError } from "./error.ts";
import { referenceForward } from "./forward.ts";
import { values } from "./values.ts";

describe("Qwen3's norms of q and k", () => {
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
  const last = (w: ReturnType<typeof weights>, c = config, firstPosition = 0) =>
    referenceForward(c, w, ids, firstPosition).hiddenStates[2] ?? [];
  const scaled = (name: string, factor: (i: number) => number) => {
    const w = weights();
    const tensor = w.get(name);
    if (!tensor) throw new Error(name);
    w.set(name, { data: tensor.data.map((v, i) => v * factor(i)) });
    return w;
  };

  it("does not feel the scale of each head's q and k (with no epsilon), but that of v", () => {
    const exact = { ...config, normEps: 0 };
    const perHead = (i: number) => 3 + Math.floor(i / (config.headDim * config.hiddenSize));
    const error = (which: string) => {
      const w = scaled(`model.layers.1.self_attn.${which}_proj.weight`, perHead);
      return relativeError(last(w, exact), last(weights(), exact));
    };
    expect(error("q")).toBeLessThan(1e-12);
    expect(error("k")).toBeLessThan(1e-12);
    expect(error("v")).toBeGreaterThan(1e-2);
  });

  it("takes q_norm's and k_norm's gains as factors of the attention scale", () => {
    const twice = { ...config, attentionScale: 2 * config.attentionScale, layers: 1 };
    const once = { ...config, layers: 1 };
    const state = (c: typeof config, w: ReturnType<typeof weights>) =>
      referenceForward(c, w, ids).hiddenStates[1] ?? [];
    for (const which of ["q", "k"]) {
      const w = scaled(`model.layers.0.self_attn.${which}_norm.weight`, () => 2);
      expect(relativeError(state(once, w), state(twice, weights()))).toBeLessThan(1e-12);
      expect(relativeError(state(once, w), state(once, weights()))).toBeGreaterThan(1e-4);
    }
  });

  it("normalises before it rotates: with uneven gains, only then do distances alone count", () => {
    expect(relativeError(last(weights(), config, 9), last(weights()))).toBeLessThan(1e-10);
  });

  it("is Llama where q and k are not normalised", () => {
    const plain = { ...config, qkNorm: false };
    const llama = parseConfig({ ...json, model_type: "llama" }, "c");
    expect(last(weights(), plain)).toEqual(last(weights(), llama));
  });
});
