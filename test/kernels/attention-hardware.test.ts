/** @file Attention as GPUs run it (their tiles of rows, their defaults), here on whatever adapter there is. */
import { beforeAll, expect, it } from "vitest";
import { attention, uploadForest } from "../../src/kernels/attention.ts";
import { attentionBackward, uploadForestGradient } from "../../src/kernels/attention-gradient.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { forestAttention } from "../reference/attention.ts";
import { forestOf, qkvColumns, splitHeads } from "../support/forests.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const gpu = useGpu({ variants: {} });
beforeAll(() => {
  // Facts are plain data: this device says that it is no CPU.
  Object.assign(gpu().facts, { software: false });
});

const batch = forestOf([{ prompt: 70, replies: [9, 3, 66] }]);

/** Records forward and backward for heads of this size. */
function passes(headDim: number) {
  const options = { heads: 4, kvHeads: 2, headDim, scale: 0.3 };
  const [qkv, dy] = [normals(1, batch.rows * qkvColumns(options)), normals(2, batch.rows * 4 * headDim)];
  const [x, g] = [
    uploadTensor(gpu(), qkv, qkvColumns(options), "qkv"),
    uploadTensor(gpu(), dy, 4 * headDim, "dy"),
  ];
  const forest = uploadForest(gpu(), batch, batch.rows);
  const tables = uploadForestGradient(gpu(), batch, batch.rows);
  const y = attention(gpu(), x, forest, options);
  const lse = uploadTensor(gpu(), new Float32Array(4 * batch.rows), 4, "lse");
  attentionBackward(gpu(), { dy: g, qkv: x, y, lse }, forest, tables, options);
  return { options, qkv, forest, y };
}

it.each([
  [4, "_shared"],
  [64, "_shared"],
  [256, "_shared"],
  [6, ""],
  [260, ""],
])("heads of %i columns run the kernels that end in %j", (headDim, suffix) => {
  const dispatches = gpu().recorder.collect(() => {
    using _ = gpu().scope();
    passes(headDim);
  });
  expect(dispatches.map(({ kernel }) => kernel.name)).toEqual([
    `attention${suffix}`,
    "attention_delta",
    `attention_key_gradient${suffix}`,
    `attention_query_gradient${suffix}`,
  ]);
});

it("tiles have as many rows as a workgroup, and no more are taken", () => {
  using _ = gpu().scope();
  const { forest, options } = passes(8);
  expect(forest.tileRows).toBe(64);
  const x = uploadTensor(gpu(), new Float32Array(batch.rows * 64), 64, "qkv");
  expect(() => attention(gpu(), x, uploadForest(gpu(), batch, batch.rows, 65), options)).toThrow(
    /a workgroup has 64 rows, a tile 65/,
  );
});

it("the default equals float64", async () => {
  using _ = gpu().scope();
  const { options, qkv, y } = passes(36);
  const { q, k, v } = splitHeads(qkv, options);
  expect(
    relativeError(await readTensor(gpu(), y), forestAttention(q, k, v, options, batch).out),
  ).toBeLessThan(1e-5);
});
