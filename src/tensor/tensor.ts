/**
 * @file Tensor: a matrix of rows in a GPU buffer. Every row begins at a multiple of 16 bytes and is padded with zeros
 * to one, so that kernels load whole vec4s and never meet a ragged end; whoever writes a tensor writes its padding.
 */

import type { GpuBuffer } from "../gpu/buffers.ts";
import { formatBytes, OutOfMemoryError } from "../gpu/errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Binding } from "../gpu/recorder.ts";

/** What a tensor's elements are on the device. Activations are f32; f16 and bf16 are frozen weights as stored. */
export type Dtype = "f32" | "f16" | "bf16" | "i32";

export const dtypeBytes: Readonly<Record<Dtype, number>> = { f32: 4, i32: 4, f16: 2, bf16: 2 };

/** Elements from one row to the next: `cols` rounded up to whole 16 bytes. */
export function paddedStride(cols: number, dtype: Dtype): number {
  const perLoad = 16 / dtypeBytes[dtype];
  return Math.ceil(cols / perLoad) * perLoad;
}

export class Tensor {
  /** Elements from one row to the next. */
  readonly stride: number;

  constructor(
    readonly buffer: GpuBuffer,
    readonly dtype: Dtype,
    readonly rows: number,
    readonly cols: number,
    /** Rows that the buffer has room for; at least `rows`. Activations have room for the whole token budget. */
    readonly capacity: number,
    readonly label: string,
    /** Bytes from the buffer's begin, where the tensor is one of several in it; a multiple of the offset alignment. */
    readonly offset = 0,
  ) {
    this.stride = paddedStride(cols, dtype);
  }

  /** vec4s per row, padding included. */
  get stride4(): number {
    return this.stride / 4;
  }

  get rowBytes(): number {
    return this.stride * dtypeBytes[this.dtype];
  }

  get shape(): string {
    return `${this.label} ${this.dtype}[${this.rows}, ${this.cols}]`;
  }
}

export interface TensorOptions {
  readonly dtype?: Dtype;
  /** Rows to make room for. Default: `rows`. */
  readonly capacity?: number;
  /** Outlives every scope; the caller releases its buffer. */
  readonly persistent?: boolean;
}

/** A tensor with unspecified contents. */
export function createTensor(
  gpu: Gpu,
  rows: number,
  cols: number,
  label: string,
  options: TensorOptions = {},
): Tensor {
  const dtype = options.dtype ?? "f32";
  const capacity = Math.max(rows, options.capacity ?? rows);
  const bytes = capacity * paddedStride(cols, dtype) * dtypeBytes[dtype];
  const buffer = options.persistent ? gpu.allocatePersistent(bytes, label) : gpu.allocate(bytes, label);
  return new Tensor(buffer, dtype, rows, cols, capacity, label);
}

/** Rows from the host, [rows, cols] without padding. */
export function uploadTensor(
  gpu: Gpu,
  data: Float32Array | Int32Array,
  cols: number,
  label: string,
  options: Omit<TensorOptions, "dtype"> = {},
): Tensor {
  const rows = cols === 0 ? 0 : data.length / cols;
  if (!Number.isInteger(rows))
    throw new Error(`${label}: ${data.length} values are no whole rows of ${cols}`);
  const dtype = data instanceof Int32Array ? "i32" : "f32";
  const tensor = createTensor(gpu, rows, cols, label, { ...options, dtype });
  writeTensor(gpu, tensor, data);
  return tensor;
}

/** Replaces all of a tensor by values from the host, [rows, cols] without padding. */
export function writeTensor(gpu: Gpu, tensor: Tensor, data: Float32Array | Int32Array): void {
  const { rows, cols } = tensor;
  if (data.length !== rows * cols) throw new Error(`${tensor.shape} does not take ${data.length} values`);
  writeRows(gpu, tensor, 0, data);
}

/** Replaces rows of a tensor from `first` on by values from the host, [n, cols] without padding. */
export function writeRows(gpu: Gpu, tensor: Tensor, first: number, data: Float32Array | Int32Array): void {
  const { rows, cols, stride, rowBytes } = tensor;
  if (first * cols + data.length > rows * cols)
    throw new Error(`${tensor.shape} has no room for ${data.length} values from row ${first} on`);
  if (data.length > 0)
    gpu.write(tensor.buffer, tensor.offset + first * rowBytes, padRows(data, cols, stride));
}

function padRows<A extends Float32Array | Int32Array>(data: A, cols: number, stride: number): A {
  if (cols === stride) return data;
  const rows = data.length / cols;
  const padded = new (data.constructor as new (n: number) => A)(rows * stride);
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) padded[r * stride + c] = data[r * cols + c]!;
  return padded;
}

/** The values of an f32 tensor, [rows, cols] without padding. Submits and waits. */
export async function readTensor(gpu: Gpu, tensor: Tensor): Promise<Float32Array> {
  if (tensor.dtype !== "f32") throw new Error(`${tensor.shape} cannot be read as f32`);
  const { rows, cols, stride } = tensor;
  const raw = new Float32Array(await gpu.read(tensor.buffer, tensor.offset, rows * tensor.rowBytes));
  if (cols === stride) return raw;
  const values = new Float32Array(rows * cols);
  for (let r = 0; r < rows; r++) values.set(raw.subarray(r * stride, r * stride + cols), r * cols);
  return values;
}

/**
 * All of a tensor as one binding.
 * @throws OutOfMemoryError naming the tensor where the device cannot bind that much at once
 */
export function bind(gpu: Gpu, tensor: Tensor): Binding {
  const bytes = tensor.rows * tensor.rowBytes;
  if (bytes > gpu.facts.limits.maxBinding) {
    throw new OutOfMemoryError(
      `${tensor.shape} has ${formatBytes(bytes)}; this device binds ${formatBytes(gpu.facts.limits.maxBinding)} at once. ` +
        "Lower --batch-tokens or --max-length.",
    );
  }
  if (tensor.offset === 0) return { buffer: tensor.buffer };
  return { buffer: tensor.buffer, offset: tensor.offset, size: bytes };
}

/**
 * Some rows of a tensor as a tensor of their own in the same buffer.
 * @param first where they begin; its byte offset must be a multiple of the device's offset alignment
 */
export function rowsOf(gpu: Gpu, tensor: Tensor, first: number, rows: number): Tensor {
  const offset = tensor.offset + first * tensor.rowBytes;
  if (first + rows > tensor.rows || offset % gpu.facts.limits.offsetAlignment !== 0)
    throw new Error(`${tensor.shape}: rows ${first} to ${first + rows} are no tensor of their own`);
  return new Tensor(tensor.buffer, tensor.dtype, rows, tensor.cols, rows, tensor.label, offset);
}

/** A run of whole rows that fits one binding. */
export interface RowWindow {
  readonly first: number;
  readonly rows: number;
  readonly binding: Binding;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/**
 * The tensor in as few bindings as the device's limit allows, cut at rows whose offset may be bound.
 * @param multiple the cuts are at multiples of this many rows
 * @param wanted bytes of a window, where less than the limit is wanted and rows allow it
 */
export function rowWindows(
  gpu: Gpu,
  tensor: Tensor,
  multiple = 1,
  wanted = Number.POSITIVE_INFINITY,
): RowWindow[] {
  const { maxBinding, offsetAlignment } = gpu.facts.limits;
  if (tensor.rows * tensor.rowBytes <= Math.min(maxBinding, wanted)) {
    return [{ first: 0, rows: tensor.rows, binding: bind(gpu, tensor) }];
  }
  const aligned = offsetAlignment / gcd(tensor.rowBytes, offsetAlignment);
  const unit = (aligned * multiple) / gcd(aligned, multiple);
  const fitting = (bytes: number) => Math.floor(bytes / tensor.rowBytes / unit) * unit;
  const perWindow = Math.min(fitting(maxBinding), Math.max(fitting(wanted), unit));
  if (perWindow === 0) {
    throw new OutOfMemoryError(
      `${tensor.shape}: ${unit} rows of ${formatBytes(tensor.rowBytes)} do not fit one binding of ${formatBytes(maxBinding)}`,
    );
  }
  const windows: RowWindow[] = [];
  for (let first = 0; first < tensor.rows; first += perWindow) {
    const rows = Math.min(perWindow, tensor.rows - first);
    const offset = tensor.offset + first * tensor.rowBytes;
    const binding = { buffer: tensor.buffer, offset, size: rows * tensor.rowBytes };
    windows.push({ first, rows, binding });
  }
  return windows;
}
