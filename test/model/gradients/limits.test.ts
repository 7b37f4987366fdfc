/** @file Gradients where the device is small: parameters over several bindings, folded grids, no optional features. */
import { expect, it } from "vitest";
import { type Gpu, type OpenOptions, openGpu } from "../../../src/gpu/gpu.ts";
import { useGpu } from "../../support/gpu.ts";
import { tinyModel } from "../tiny-model.ts";
import { expectGradients, type GradientPair, gradientsOfPairs, loadTrainable } from "./support.ts";

const usual = useGpu();

const devices: readonly (readonly [string, OpenOptions])[] = [
  ["bindings of 28 KiB", { limits: { maxBinding: 28 * 1024 } }],
  ["at most 12 workgroups in a dimension", { limits: { maxWorkgroups: 12 } }],
  [
    "no optional features",
    { exclude: ["subgroups", "shader-f16", "chromium-experimental-subgroup-matrix"], variants: {} },
  ],
];

// The embedding and the linear weights are larger than 28 KiB; no activation of the pairs' rows is.
const config = { vocab_size: 1500, hidden_size: 104, head_dim: 8, intermediate_size: 44 };

const pairs = Array.from({ length: 3 }, (_, i): GradientPair => {
  const side = (salt: number) =>
    Int32Array.from({ length: 6 + 2 * i + salt }, (_, p) => (p < 4 ? 9 * p : (211 * p * (salt + 3)) % 1500));
  const sequences = [side(0), side(3)] as const;
  return { sequences, readAt: [sequences[0].length - 1, sequences[1].length - 1] };
});

it.each(devices)("%s", async (_, options) => {
  const dir = await tinyModel({ family: "llama", config });
  const on = async (gpu: Gpu) => {
    using model = await loadTrainable(gpu, dir);
    return await gradientsOfPairs(model, pairs, { centering: 0.1 });
  };
  using gpu = await openGpu(options);
  const [own, expected] = [await on(gpu), await on(usual())];
  // A weight in several windows adds up its share of an input's gradient window by window.
  if (options.limits?.maxWorkgroups !== undefined) expect(own).toEqual(expected);
  expectGradients(own.gradients, expected.gradients);
});
