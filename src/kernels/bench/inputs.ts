/** @file Inputs of the benchmark's cases: ordinary numbers, since zeros flatter some devices. */
import type { Gpu } from "../../gpu/gpu.ts";
import { createTensor, type Tensor } from "../../tensor/tensor.ts";
import type { PackedBatch } from "../packed-batch.ts";
import type { WeightDtype } from "./models.ts";

/** The bits of 0.5 in both 16-bit formats. */
const half = { f16: 0x3800, bf16: 0x3f00 } as const;
/** Bytes that the host fills; the device repeats them, since a large weight would take the host seconds. */
const patternBytes = 2 ** 20;

/** [rows, cols] of values between -1 and 1; 16-bit ones are 0.5 and -0.5. */
export function filled(gpu: Gpu, rows: number, cols: number, dtype: WeightDtype = "f32"): Tensor {
  const tensor = createTensor(gpu, rows, cols, `bench ${dtype}`, { dtype });
  const { rowBytes, buffer } = tensor;
  const patternRows = Math.min(rows, Math.max(1, Math.floor(patternBytes / rowBytes)));
  const pattern = patternOf(tensor, patternRows);
  if (patternRows === rows) {
    gpu.write(buffer, 0, pattern);
    return tensor;
  }
  using _ = gpu.scope();
  const source = gpu.allocate(pattern.byteLength, "bench pattern");
  gpu.write(source, 0, pattern);
  for (let row = 0; row < rows; row += patternRows) {
    const bytes = Math.min(patternRows, rows - row) * rowBytes;
    gpu.recorder.copyBuffer(source, 0, buffer, row * rowBytes, bytes);
  }
  return tensor;
}

/** Rows of values, padded with zeros as tensors are. */
function patternOf({ dtype, cols, stride }: Tensor, rows: number): Float32Array | Uint16Array {
  const values = dtype === "f32" ? new Float32Array(rows * stride) : new Uint16Array(rows * stride);
  const bits = dtype === "f16" || dtype === "bf16" ? half[dtype] : 0;
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const i = row * cols + col;
      const value = Math.sin(0.7 * i * (i % 1013));
      values[row * stride + col] = dtype === "f32" ? value : bits | (value < 0 ? 0x8000 : 0);
    }
  }
  return values;
}

/** One sequence of `rows` tokens. */
export function oneSequence(rows: number): PackedBatch {
  const positions = Int32Array.from({ length: rows }, (_, i) => i);
  return {
    rows,
    ids: positions,
    positions,
    segments: Int32Array.of(0, 0, 0, rows),
    sequenceSegments: Int32Array.of(0),
    maxPath: rows,
    paddedTokens: rows,
  };
}
