/** @file Gradients of all parameters against PyTorch's in float64, through Hugging Face's models. */
import { describe, expect, it } from "vitest";
import { pooledIndex } from "../../reference/forward.ts";
import { goldenJson, goldenModel, goldenTensors, realModel } from "../../reference/goldens.ts";
import { useGpu } from "../../support/gpu.ts";
import { unpadded } from "../golden-sequences.ts";
import { expectGradients, type GradientPair, gradientsOfPairs, loadTrainable } from "./support.ts";

const device = useGpu();

/** The pairs of a golden, read where *ForSequenceClassification reads them. */
function goldenPairs(golden: ReturnType<typeof goldenTensors>, padTokenId: number): GradientPair[] {
  const rows = unpadded(golden, "bt");
  const margins = golden.get("bt/margin").data;
  const n = rows.length / 2;
  return rows.slice(0, n).map(({ ids: chosen }, i) => {
    const rejected = rows[n + i]?.ids ?? chosen;
    return {
      sequences: [chosen, rejected],
      readAt: [pooledIndex(chosen, padTokenId), pooledIndex(rejected, padTokenId)],
      margin: margins[i] ?? Number.NaN,
    };
  });
}

const variants = {
  plain: { margin: false, centering: 0 },
  margin: { margin: true, centering: 0 },
  center: { margin: false, centering: 0.05 },
  margin_center: { margin: true, centering: 0.05 },
} as const;

describe.each(["llama", "llama-wide", "qwen2", "gpt2"] as const)("%s", (name) => {
  const golden = goldenTensors(name);
  const { scalars } = goldenJson<{ scalars: Record<string, { f64: number }> }>(name, "manifest.json");

  it("Bradley-Terry gradients of every variant", async () => {
    using model = await loadTrainable(device(), goldenModel(name));
    const pairs = goldenPairs(golden, model.config.padTokenId ?? -1);
    let compared = 0;
    for (const [variant, { margin, centering }] of Object.entries(variants)) {
      const loss = scalars[`bt/${variant}/loss`]?.f64;
      if (loss === undefined) continue;
      const used = margin ? pairs : pairs.map((pair) => ({ ...pair, margin: 0 }));
      const own = await gradientsOfPairs(model, used, { centering });
      expect(Math.abs(own.loss - loss)).toBeLessThan(1e-5 * (1 + loss));
      const truth = new Map(
        [...own.gradients.keys()].map((parameter) => {
          const at = `grad/bt_${variant}/${parameter}`;
          return [parameter, golden.get(golden.has(at) ? at : `${at}.f64`).data];
        }),
      );
      expectGradients(own.gradients, truth);
      compared++;
    }
    expect(compared).toBe(name === "llama-wide" ? 1 : 4);
  });
});

it("stories260k with a reward head: the loss and the norm, sum and first values of every gradient", async () => {
  const golden = goldenJson<{
    pairs: { chosen_ids: number[]; rejected_ids: number[] }[];
    loss: number;
    grad_norm: number;
    grads: Record<string, { norm: number; sum: number; first8: number[] }>;
  }>("models/stories260k", "reward-goldens.json");
  // The head of the golden's definition.
  const head = Float32Array.from({ length: 64 }, (_, j) => Math.sin(j + 1) / 8);
  using model = await loadTrainable(device(), realModel("stories260k"), { head });
  const pairs = golden.pairs.map(
    ({ chosen_ids, rejected_ids }): GradientPair => ({
      sequences: [Int32Array.from(chosen_ids), Int32Array.from(rejected_ids)],
      readAt: [chosen_ids.length - 1, rejected_ids.length - 1],
    }),
  );
  const { loss, gradients } = await gradientsOfPairs(model, pairs);
  expect(Math.abs(loss - golden.loss)).toBeLessThan(1e-5 * (1 + golden.loss));
  const bound = (size: number) => 1e-4 * size + 1e-6 * golden.grad_norm;
  let squares = 0;
  let compared = 0;
  for (const [key, { norm, sum, first8 }] of Object.entries(golden.grads)) {
    const name = key === "reward_head" ? "score.weight" : key;
    const values = gradients.get(name);
    if (values === undefined) throw new Error(`no gradient of ${name}`);
    const own = Math.sqrt(values.reduce((total, v) => total + v * v, 0));
    squares += own * own;
    expect(Math.abs(own - norm), name).toBeLessThan(bound(norm));
    // The sum and single values are within the bound of the whole tensor's error.
    expect(Math.abs(values.reduce((a, b) => a + b, 0) - sum), name).toBeLessThan(
      Math.sqrt(values.length) * bound(norm),
    );
    for (const [i, value] of first8.entries())
      expect(Math.abs((values[i] ?? 0) - value), `${name}[${i}]`).toBeLessThan(bound(norm));
    compared++;
  }
  expect(compared).toBe(gradients.size);
  expect(Math.abs(Math.sqrt(squares) - golden.grad_norm)).toBeLessThan(3e-5 * golden.grad_norm);
});
