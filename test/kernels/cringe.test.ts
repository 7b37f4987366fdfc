/** @file The CRINGE penalty against float64: the words drawn, penalties, gradients; the same draw alone and in windows. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import { cringeBackward, cringeKernels, cringePenalties } from "../../src/kernels/cringe.ts";
import { tokenLogps } from "../../src/kernels/token-logps.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { drawWord, penaltyOf } from "../reference/cringe.ts";
import { linear } from "../reference/layers.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { rounded, uploadWeight, type WeightDtype, weightDtypes } from "../support/weights.ts";

const gpu = useGpu();
/** Tiles of 16 tokens by 64 words; more than three workgroups fold the grid. */
const narrow = useGpu({ limits: { maxBinding: 4096, maxWorkgroups: 3 } });
type Device = ReturnType<typeof gpu>;

interface Shape {
  readonly tokens: number;
  readonly vocabulary: number;
  readonly width: number;
  readonly k: number;
  readonly seed: number;
  /** Default: f32. */
  readonly dtype?: WeightDtype;
}

const shapesUpTo = (tokens: number, vocabulary: number, k: number): fc.Arbitrary<Shape> =>
  fc.record({
    tokens: fc.integer({ min: 1, max: tokens }),
    vocabulary: fc.integer({ min: 2, max: vocabulary }),
    width: fc.integer({ min: 1, max: 12 }),
    k: fc.integer({ min: 1, max: k }),
    seed: fc.nat(),
    dtype: fc.constantFrom(...weightDtypes),
  });

function inputs({ tokens, vocabulary, width, seed, dtype = "f32" }: Shape) {
  const whole = (values: Float32Array, below: number) =>
    Int32Array.from(values, (z) => Math.floor(1e6 * Math.abs(z)) % below);
  return {
    hidden: normals(seed, tokens * width),
    weight: rounded(normals(seed + 1, vocabulary * width), dtype),
    targets: whole(normals(seed + 2, tokens), vocabulary),
    keys: whole(normals(seed + 3, 4 * tokens), 2 ** 20),
    gradient: normals(seed + 4, tokens),
  };
}

type Inputs = ReturnType<typeof inputs>;

async function run(
  on: Device,
  { k, seed, width, dtype = "f32" }: Shape,
  { hidden, weight, targets, keys, gradient }: Inputs,
) {
  using _ = on.scope();
  const at = {
    hidden: uploadTensor(on, hidden, width, "hidden"),
    weight: uploadWeight(on, weight, width, dtype),
    targets: uploadTensor(on, targets, 1, "targets"),
  };
  const of = tokenLogps(on, at.hidden, at.weight, at.targets);
  const options = { k, seed, step: 3, keys: uploadTensor(on, keys, 4, "keys") };
  const { penalties, drawn, logps } = cringePenalties(on, at.hidden, at.weight, at.targets, options);
  expect(await readTensor(on, logps)).toEqual(await readTensor(on, of.logps));
  const words = new Uint32Array(await on.read(drawn.buffer, 0, 16 * targets.length));
  const dWeight = uploadTensor(on, new Float32Array(weight.length), width, "dw");
  const dHidden = cringeBackward(
    on,
    { ...at, drawn, gradient: uploadTensor(on, gradient, 1, "gradient") },
    { hidden: "new", weight: dWeight },
  );
  return {
    penalties: await readTensor(on, penalties),
    words: [...targets].map((_, e) => words[4 * e + 1]!),
    dHidden: await readTensor(on, dHidden!),
    dWeight: await readTensor(on, dWeight),
  };
}

describe.each([
  ["in one tile", gpu, shapesUpTo(40, 300, 8)],
  ["in windows", narrow, shapesUpTo(30, 200, 1)],
] as const)("%s", (_, device, shapes) => {
  it("draws, penalties and gradients equal float64; a token alone has the same ones", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const given = inputs(shape);
        const { width, vocabulary, tokens } = shape;
        const found = await run(device(), shape, given);
        const logits = linear(given.hidden, given.weight, width);
        const dHidden = new Float64Array(given.hidden.length);
        const dWeight = new Float64Array(given.weight.length);
        const expected = [...given.targets].map((target, e) => {
          const row = logits.subarray(e * vocabulary, (e + 1) * vocabulary);
          const [a = 0, b = 0, c = 0] = given.keys.subarray(4 * e, 4 * e + 3);
          const { word, distance } = drawWord(row, target, { ...shape, step: 3, key: [a, b, c] });
          // Where float32 may fall on the other side, the device's own word counts.
          if (distance > 1e-4) expect(found.words[e]).toBe(word);
          const drawn = found.words[e]!;
          expect(drawn).not.toBe(target);
          const { penalty, slope } = penaltyOf(row[target]!, row[drawn]!);
          for (let i = 0; i < width; i++) {
            const g = given.gradient[e]! * slope;
            dHidden[e * width + i]! +=
              g * (given.weight[target * width + i]! - given.weight[drawn * width + i]!);
            dWeight[target * width + i]! += g * given.hidden[e * width + i]!;
            dWeight[drawn * width + i]! -= g * given.hidden[e * width + i]!;
          }
          return penalty;
        });
        expect(relativeError(found.penalties, expected)).toBeLessThan(1e-5);
        expect(relativeError(found.dHidden, dHidden)).toBeLessThan(1e-5);
        expect(relativeError(found.dWeight, dWeight)).toBeLessThan(1e-5);
        const e = shape.seed % tokens;
        const alone = await run(gpu(), shape, {
          ...given,
          hidden: given.hidden.slice(e * width, (e + 1) * width),
          targets: given.targets.slice(e, e + 1),
          keys: given.keys.slice(4 * e, 4 * e + 4),
          gradient: given.gradient.slice(e, e + 1),
        });
        expect([alone.penalties[0], alone.words[0]]).toEqual([found.penalties[e], found.words[e]]);
      }),
      { numRuns: 15 },
    );
  });
});

it("draws follow the softmax of the best words", async () => {
  const [tokens, k] = [4000, 2];
  const shape = { tokens, vocabulary: 3, width: 1, k, seed: 5 };
  const found = await run(gpu(), shape, {
    hidden: new Float32Array(tokens).fill(1),
    weight: Float32Array.of(0, 1, 2),
    targets: new Int32Array(tokens).fill(2),
    keys: Int32Array.from({ length: 4 * tokens }, (_, i) => (i % 4 === 0 ? i : 0)),
    gradient: new Float32Array(tokens),
  });
  const share = found.words.filter((word) => word === 1).length / tokens;
  const p = Math.E / (1 + Math.E);
  expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / tokens));
});

it("one word has no other: no penalty, no gradient; NaN comes through", async () => {
  const one = { tokens: 2, vocabulary: 1, width: 1, k: 3, seed: 1 };
  const found = await run(gpu(), one, inputs(one));
  expect([...found.penalties, ...found.dHidden]).toEqual([0, 0, 0, 0]);
  const shape = { tokens: 3, vocabulary: 70, width: 2, k: 3, seed: 2 };
  const given = inputs(shape);
  given.hidden[2] = Number.NaN;
  const bad = await run(gpu(), shape, given);
  expect([...bad.penalties].map(Number.isFinite)).toEqual([true, false, true]);
  expect([...bad.dHidden].map(Number.isFinite)).toEqual([true, true, false, false, true, true]);
});

it("every kernel compiles without a device", async () => {
  using bare = await openGpu({ backend: "null" });
  await bare.pipelines.warm(cringeKernels);
});
