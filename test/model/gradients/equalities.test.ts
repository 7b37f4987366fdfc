/**
 * @file Ways to the same gradients: layers run again or kept, prompts shared or computed twice, one batch or several.
 * And what a step leaves behind: nothing.
 */
import { describe, expect, it } from "vitest";
import { useGpu } from "../../support/gpu.ts";
import { type TinyModel, tinyModel } from "../tiny-model.ts";
import {
  backwardOfPairs,
  expectGradients,
  type GradientPair,
  gradientsOfPairs,
  loadTrainable,
  readGradients,
} from "./support.ts";

const device = useGpu();

/** Pairs whose sides share `salt + 2 i` tokens, of ids below 40. */
function pairsOf(count: number, salt = 0): GradientPair[] {
  return Array.from({ length: count }, (_, i) => {
    const shared = salt + 2 * i;
    const side = (extra: number) =>
      Int32Array.from({ length: shared + 2 + extra }, (_, p) =>
        p < shared ? (3 * i + p * p) % 40 : (7 * p + 11 * extra + i) % 40,
      );
    const sequences = [side(3), side(1 + (i % 3))] as const;
    return { sequences, readAt: [sequences[0].length - 1, sequences[1].length - 1], margin: 0.1 * i };
  });
}

const models: Readonly<Record<string, TinyModel>> = {
  llama: { family: "llama", config: { attention_bias: true, mlp_bias: true } },
  qwen3: { family: "qwen3" },
  gpt2: { family: "gpt2" },
};

describe.each(Object.keys(models))("%s", (name) => {
  const load = async () => loadTrainable(device(), await tinyModel(models[name] ?? { family: "llama" }));
  const pairs = pairsOf(4);

  it("layers that run again give the same bits", async () => {
    using model = await load();
    const plain = await gradientsOfPairs(model, pairs, { centering: 0.1 });
    const again = await gradientsOfPairs(model, pairs, { centering: 0.1, checkpointing: true });
    expect([...plain.gradients.values()].every((values) => values.some((v) => v !== 0))).toBe(true);
    expect(again).toEqual(plain);
  });

  it("shared prompts give the gradients of prompts computed twice", async () => {
    using model = await load();
    const packed = await gradientsOfPairs(model, pairs, { centering: 0.1 });
    const apart = await gradientsOfPairs(model, pairs, { centering: 0.1, apart: true });
    expectGradients(packed.gradients, apart.gradients);
  });

  it("several batches add up to one", async () => {
    using model = await load();
    const { gradients } = await gradientsOfPairs(model, pairs, { centering: 0.1 });
    model.arena.clear("gradient");
    for (const part of [pairs.slice(0, 1), pairs.slice(1)])
      await backwardOfPairs(model, part, { centering: 0.1, total: pairs.length });
    expectGradients(await readGradients(model), gradients);
  });

  it("after the first step no buffer and no bind group is created, whatever the batch holds", async () => {
    using model = await load();
    const created = () => ({
      buffers: device().memory.buffersCreated,
      groups: device().recorder.stats.bindGroupsCreated,
    });
    for (const checkpointing of [false, true]) {
      const step = (batch: readonly GradientPair[]) =>
        backwardOfPairs(model, batch, { capacity: 96, checkpointing });
      await step(pairs);
      const { live } = device().memory;
      const before = created();
      await step(pairsOf(2, 3));
      await step(pairsOf(5, 1));
      expect(created()).toEqual(before);
      expect(device().memory.live).toBe(live);
    }
  });
});

describe("what a step keeps", () => {
  const peak = async (layers: number, checkpointing: boolean) => {
    const config = { num_hidden_layers: layers };
    using model = await loadTrainable(device(), await tinyModel({ family: "llama", config }));
    await backwardOfPairs(model, pairsOf(4), { checkpointing }); // the rotary tables stay
    const { live } = device().memory;
    device().resetPeak();
    await backwardOfPairs(model, pairsOf(4), { checkpointing });
    return device().memory.peak - live;
  };

  it("grows with every layer, with layers that run again by their input only", async () => {
    const more = (await peak(6, false)) - (await peak(2, false));
    const again = (await peak(6, true)) - (await peak(2, true));
    expect(again).toBeGreaterThan(0);
    // One [T, H] of the dozen tensors that a layer keeps.
    expect(more).toBeGreaterThan(8 * again);
  });
});

describe("the row of pad_token_id", () => {
  it.each([
    ["llama", false],
    ["gpt2", true],
  ] as const)("%s: looking it up teaches it: %s", async (family, learns) => {
    const all = async (config: Record<string, unknown>) => {
      using model = await loadTrainable(device(), await tinyModel({ family, config }));
      const { gradients } = await gradientsOfPairs(model, pairsOf(4));
      const embed = [...gradients.keys()].find((key) => /embed_tokens|wte/.test(key));
      const values = gradients.get(embed ?? "") ?? new Float32Array();
      const width = model.config.hiddenSize;
      return Array.from({ length: 40 }, (_, id) => values.slice(id * width, (id + 1) * width));
    };
    const pad = pairsOf(4)[0]?.sequences[0][3] ?? 0;
    const rows = await all({});
    expect(rows[pad]?.some((v) => v !== 0)).toBe(true);
    const own = await all({ pad_token_id: pad });
    expect(own[pad]?.some((v) => v !== 0)).toBe(learns);
    expect(own.filter((_, id) => id !== pad)).toEqual(rows.filter((_, id) => id !== pad));
  });
});
