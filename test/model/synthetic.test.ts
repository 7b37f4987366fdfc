/** @file Made-up models: any shape, the same bytes wherever they are read from, ordinary numbers. */
import { expect, it } from "vitest";
import { toFloat32 } from "../../src/model/safetensors/index.ts";
import { syntheticFolder } from "../../src/model/synthetic.ts";

const shape = {
  hidden: 24,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  intermediate: 36,
  vocabulary: 4000,
  dtype: "f32",
} as const;

it.each(["f32", "f16", "bf16"] as const)(
  "%s: finite weights about as large as initialisers make them",
  async (dtype) => {
    const { checkpoint } = syntheticFolder({ ...shape, dtype }, 64);
    for (const info of checkpoint.tensors.values()) {
      const values = toFloat32(await checkpoint.read(info), info.dtype);
      const deviation =
        Math.hypot(...values.subarray(0, 10_000)) / Math.sqrt(Math.min(10_000, values.length));
      if (info.name.endsWith("norm.weight")) expect(values.every((v) => v === 1)).toBe(true);
      else expect(Math.abs(deviation - 0.02), info.name).toBeLessThan(0.002);
    }
  },
);

it("a range is a part of the whole; chunks are the whole", async () => {
  const { checkpoint } = syntheticFolder(shape, 64);
  const [info] = checkpoint.tensors.values();
  if (info === undefined) throw new Error("no tensor");
  const whole = await checkpoint.read(info);
  const part = await checkpoint.read(info, { byteOffset: 270_000, byteLength: 100_000 });
  expect(Buffer.compare(part, whole.subarray(270_000, 370_000))).toBe(0);
  const chunks: number[] = [];
  for await (const { offset, bytes } of checkpoint.chunks(info, 100_000)) {
    expect(Buffer.compare(bytes, whole.subarray(offset, offset + bytes.length))).toBe(0);
    chunks.push(bytes.length);
  }
  expect(chunks.reduce((sum, n) => sum + n, 0)).toBe(whole.length);
  await expect(checkpoint.read(info, { byteOffset: whole.length, byteLength: 4 })).rejects.toThrow(
    "has no 4",
  );
});

it("refuses shapes that no model has", () => {
  expect(() => syntheticFolder({ ...shape, kvHeads: 3 }, 64)).toThrow("num_key_value_heads (3)");
});
