/** @file The [tokens, vocabulary] logits are never materialised: memory does not grow with tokens times words. */
import { expect, it } from "vitest";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import { tokenLogps, tokenLogpsBackward } from "../../src/kernels/token-logps.ts";
import { createTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";

const device = useGpu();
const MiB = 2 ** 20;

interface Shape {
  readonly tokens: number;
  readonly vocabulary: number;
  readonly width: number;
}

/** Forward and backward, for hidden states and the vocabulary's weights, in a scope of its own. */
function step(gpu: Gpu, { tokens, vocabulary, width }: Shape): void {
  using _ = gpu.scope();
  const hidden = createTensor(gpu, tokens, width, "hidden");
  const weight = createTensor(gpu, vocabulary, width, "weight");
  const dWeight = createTensor(gpu, vocabulary, width, "d weight");
  const targets = createTensor(gpu, tokens, 1, "targets", { dtype: "i32" });
  const { lse } = tokenLogps(gpu, hidden, weight, targets);
  const gradient = createTensor(gpu, tokens, 1, "gradient");
  tokenLogpsBackward(gpu, { hidden, weight, targets, lse, gradient }, { hidden: "new", weight: dWeight });
}

/** Bytes of what cannot be done without: hidden states, their gradient, weights, theirs, and words per token. */
const inputs = ({ tokens, vocabulary, width }: Shape) =>
  8 * tokens * width + 8 * vocabulary * width + 80 * tokens;

it("at the sizes of real models the peak is that of inputs and outputs, and a few MiB", async () => {
  using gpu = await openGpu({ backend: "null" });
  for (const tokens of [256, 4096, 65_536]) {
    for (const vocabulary of [512, 32_000, 151_936]) {
      const shape = { tokens, vocabulary, width: 64 };
      const { peak } = gpu.rehearse(() => step(gpu, shape));
      // Sizes of buffers are rounded up by at most an eighth.
      expect(peak, JSON.stringify(shape)).toBeLessThan(1.125 * inputs(shape) + 10 * MiB);
    }
  }
  const logits = 4 * 65_536 * 151_936;
  expect(gpu.rehearse(() => step(gpu, { tokens: 65_536, vocabulary: 151_936, width: 64 })).peak).toBeLessThan(
    logits / 100,
  );
});

it("measured: with 16 times the logits the peak grows by inputs and outputs only", async () => {
  const gpu = device();
  const measured = async (shape: Shape) => {
    const before = gpu.memory.live;
    gpu.resetPeak();
    {
      using _ = gpu.scope();
      const { tokens, vocabulary, width } = shape;
      const hidden = uploadTensor(gpu, normals(1, tokens * width), width, "hidden");
      const weight = uploadTensor(gpu, normals(2, vocabulary * width), width, "weight");
      const targets = uploadTensor(
        gpu,
        Int32Array.from({ length: tokens }, (_, i) => (7 * i) % vocabulary),
        1,
        "targets",
      );
      const dWeight = uploadTensor(gpu, new Float32Array(vocabulary * width), width, "d weight");
      const { lse } = tokenLogps(gpu, hidden, weight, targets);
      const gradient = uploadTensor(gpu, normals(3, tokens), 1, "gradient");
      tokenLogpsBackward(gpu, { hidden, weight, targets, lse, gradient }, { hidden: "new", weight: dWeight });
      await gpu.finish();
    }
    expect(gpu.memory.live).toBe(before);
    const { peak } = gpu.memory;
    expect(peak - before).toBe(gpu.rehearse(() => step(gpu, shape)).peak - before);
    return peak - before;
  };
  const small = { tokens: 512, vocabulary: 4096, width: 8 };
  const large = { tokens: 2048, vocabulary: 16_384, width: 8 };
  const growth = (await measured(large)) - (await measured(small));
  // The logits alone would grow from 8 MiB to 128 MiB.
  expect(growth).toBeLessThan(1.125 * (inputs(large) - inputs(small)) + MiB);
});
