/**
 * @file Streams a checkpoint's tensors to the device, a bounded number of host bytes at a time. Linear weights stay
 * as stored (f32, f16, bf16), with their rows padded; norms and biases are widened to f32, and so is what learns.
 */
import { InputError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { expectShape } from "../kernels/shapes.ts";
import { createTensor, type Dtype, dtypeBytes, type Tensor, writeTensor } from "../tensor/tensor.ts";
import type { ModelConfig } from "./config.ts";
import { type DecoderPart, storedShape } from "./decoder-parts.ts";
import type { Role, TensorSpec } from "./families/family.ts";
import { resolveTensors, tensorKey } from "./families/tensors.ts";
import { type Checkpoint, type TensorInfo, toFloat32 } from "./safetensors/index.ts";

/** Host bytes per read. */
const chunkBytes = 8 * 2 ** 20;
/** Bytes handed to the device before waiting for it, since the device keeps its own copy of each write until then. */
const bytesInFlight = 64 * 2 ** 20;

const deviceDtype: Readonly<Record<string, Dtype>> = { F32: "f32", F16: "f16", BF16: "bf16", F64: "f32" };

interface Stored {
  readonly spec: TensorSpec;
  readonly info: TensorInfo;
  /** Rows and columns as the device holds it, [out, in]. */
  readonly rows: number;
  readonly cols: number;
}

export class WeightLoader {
  /** Checkpoint names that nothing asked for. */
  readonly unused: readonly string[];
  readonly #found: ReadonlyMap<string, string>;
  readonly #loaded: Tensor[] = [];
  #inFlight = 0;

  /** @throws InputError naming missing tensors, or the one whose shape is not the config's */
  constructor(
    readonly gpu: Gpu,
    readonly checkpoint: Checkpoint,
    readonly config: ModelConfig,
  ) {
    const resolved = resolveTensors(config, checkpoint.tensors);
    this.#found = resolved.found;
    this.unused = resolved.unused;
  }

  has(role: Role, layer?: number): boolean {
    return this.#found.has(tensorKey(role, layer));
  }

  /**
   * A part of the decoder: a matrix stays as stored where its tensors agree in dtype, else it is widened to f32.
   * @param into f32 of the part's shape, written in place of a new tensor; the caller's
   */
  async part({ name, kind, specs, rows, cols }: DecoderPart, into?: Tensor): Promise<Tensor> {
    if (into !== undefined) expectShape(name, into, rows, cols);
    return kind === "vector" ? this.#vector(name, specs, into) : this.#matrix(name, specs, into);
  }

  async #matrix(label: string, specs: readonly TensorSpec[], into: Tensor | undefined): Promise<Tensor> {
    const parts = specs.map((spec) => this.#stored(spec));
    const dtypes = new Set(parts.map((p) => this.#dtype(p.info)));
    const dtype = dtypes.size === 1 ? (dtypes.values().next().value ?? "f32") : "f32";
    const rows = parts.reduce((sum, p) => sum + p.rows, 0);
    const tensor = into ?? this.#create(rows, parts[0]?.cols ?? 0, label, dtype);
    let first = 0;
    for (const part of parts) {
      if (part.spec.transposed) await this.#uploadTransposed(tensor, first, part);
      else await this.#uploadRows(tensor, first, part);
      first += part.rows;
    }
    return tensor;
  }

  /** Vectors end to end as one f32 row [1, n]. */
  async #vector(label: string, specs: readonly TensorSpec[], into: Tensor | undefined): Promise<Tensor> {
    const parts: Float32Array[] = [];
    for (const spec of specs) {
      const { info } = this.#stored(spec);
      this.#dtype(info);
      parts.push(toFloat32(await this.checkpoint.read(info), info.dtype));
    }
    const values = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
    let at = 0;
    for (const part of parts) {
      values.set(part, at);
      at += part.length;
    }
    const tensor = into ?? this.#create(1, values.length, label, "f32");
    writeTensor(this.gpu, tensor, values);
    return tensor;
  }

  #create(rows: number, cols: number, label: string, dtype: Dtype): Tensor {
    const tensor = createTensor(this.gpu, rows, cols, label, { dtype, persistent: true });
    this.#loaded.push(tensor);
    return tensor;
  }

  /** After a failure: gives back what was loaded so far. */
  abandon(): void {
    for (const { buffer } of this.#loaded.splice(0)) this.gpu.release(buffer);
  }

  #stored(spec: TensorSpec): Stored {
    const key = tensorKey(spec.role, spec.layer);
    const info = this.checkpoint.tensors.get(this.#found.get(key) ?? "");
    if (info === undefined) throw new Error(`The model has no tensor ${key}`);
    return { spec, info, ...storedShape(spec) };
  }

  /** @throws InputError for a dtype that no weight can have */
  #dtype(info: TensorInfo): Dtype {
    const dtype = deviceDtype[info.dtype];
    if (dtype === undefined) {
      throw new InputError(
        `${info.file}: tensor ${info.name} is stored as ${info.dtype}; weights must be F32, F16, BF16 or F64`,
      );
    }
    return dtype;
  }

  async #uploadRows(tensor: Tensor, first: number, { info, rows, cols }: Stored): Promise<void> {
    const stored = (info.end - info.begin) / (rows * cols);
    const perChunk = Math.max(1, Math.floor(chunkBytes / (cols * stored)));
    for (let row = 0; row < rows; row += perChunk) {
      const count = Math.min(perChunk, rows - row);
      const range = { byteOffset: row * cols * stored, byteLength: count * cols * stored };
      const bytes = this.#convert(await this.checkpoint.read(info, range), info, tensor.dtype);
      await this.#write(tensor, first + row, this.#pad(bytes, count, tensor));
    }
  }

  /** A Conv1D weight [in, out] is turned once, here; it is read in rows of `in` and held turned as a whole. */
  async #uploadTransposed(tensor: Tensor, first: number, { info, rows, cols }: Stored): Promise<void> {
    const turned = new Uint8Array(rows * tensor.rowBytes);
    const to = elements(turned, tensor.dtype);
    const stored = (info.end - info.begin) / (rows * cols);
    const perChunk = Math.max(1, Math.floor(chunkBytes / (rows * stored)));
    for (let k = 0; k < cols; k += perChunk) {
      const count = Math.min(perChunk, cols - k);
      const range = { byteOffset: k * rows * stored, byteLength: count * rows * stored };
      const bytes = this.#convert(await this.checkpoint.read(info, range), info, tensor.dtype);
      const source = elements(bytes, tensor.dtype);
      for (let j = 0; j < count; j++) {
        for (let n = 0; n < rows; n++) to[n * tensor.stride + k + j] = source[j * rows + n] ?? 0;
      }
    }
    await this.#write(tensor, first, turned);
  }

  #convert(bytes: Uint8Array<ArrayBuffer>, info: TensorInfo, dtype: Dtype): Uint8Array<ArrayBuffer> {
    if (dtype !== "f32" || info.dtype === "F32") return bytes;
    return new Uint8Array(toFloat32(bytes, info.dtype).buffer);
  }

  #pad(bytes: Uint8Array<ArrayBuffer>, rows: number, tensor: Tensor): Uint8Array<ArrayBuffer> {
    const rowBytes = tensor.cols * dtypeBytes[tensor.dtype];
    if (rowBytes === tensor.rowBytes) return bytes;
    const padded = new Uint8Array(rows * tensor.rowBytes);
    for (let r = 0; r < rows; r++)
      padded.set(bytes.subarray(r * rowBytes, (r + 1) * rowBytes), r * tensor.rowBytes);
    return padded;
  }

  async #write(tensor: Tensor, row: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.gpu.write(tensor.buffer, tensor.offset + row * tensor.rowBytes, bytes);
    this.#inFlight += bytes.byteLength;
    if (this.#inFlight < bytesInFlight) return;
    this.#inFlight = 0;
    await this.gpu.finish();
  }
}

/** Elements by their bits, for moving them about. */
function elements(bytes: Uint8Array<ArrayBuffer>, dtype: Dtype): Uint16Array | Uint32Array {
  return dtypeBytes[dtype] === 2 ? new Uint16Array(bytes.buffer) : new Uint32Array(bytes.buffer);
}
