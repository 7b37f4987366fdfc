/**
 * @file Trainable parameters in four arenas of one layout: f32 masters, gradients and Adam's two moments. Zeroing,
 * clipping and the update walk whole arenas; a parameter is a view that kernels use like any tensor.
 */
import type { GpuBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Binding } from "../gpu/recorder.ts";
import { paddedStride, readTensor, Tensor, writeTensor } from "./tensor.ts";

export interface ParameterSpec {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  /** Whether weight decay applies. Default: true. */
  readonly decay?: boolean;
  /** Parameters of one group share a learning rate. Default: "base". */
  readonly group?: string;
}

export const baseGroup = "base";

/** master: the weights themselves, the only copy on the device. m, v: first and second moment of the gradient. */
export type ArenaRole = "master" | "gradient" | "m" | "v";
export const arenaRoles = ["master", "gradient", "m", "v"] as const satisfies readonly ArenaRole[];

/** Bytes of the blocks in which gradients are summed, fixed so that the sum has one order; every piece but the last of a chunk is a multiple. */
export const blockBytes = 16_384;

/** A run of all four arenas in one binding. */
interface Run {
  readonly bytes: number;
  binding(role: ArenaRole): Binding;
}

/** A run whose parameters are updated alike: one dispatch of the optimiser. */
export interface ArenaRange extends Run {
  readonly decay: boolean;
  readonly group: string;
}

/** A run that one dispatch sums, in ranges that cover it. */
export interface ArenaPiece extends Run {
  readonly ranges: readonly ArenaRange[];
}

interface Place {
  readonly spec: ParameterSpec;
  readonly chunk: number;
  readonly offset: number;
}

interface Chunk {
  bytes: number;
  /** In order, without gaps; `end` in bytes from the chunk's begin. */
  readonly ranges: { readonly decay: boolean; readonly group: string; end: number }[];
}

type Buffers = Readonly<Record<ArenaRole, GpuBuffer>>;

const rowBytes = (spec: ParameterSpec) => 4 * paddedStride(spec.cols, "f32");

export class ParameterArena implements Disposable {
  readonly pieces: readonly ArenaPiece[];
  readonly #views = new Map<string, Readonly<Record<ArenaRole, Tensor>>>();
  readonly #buffers: readonly Buffers[];

  /** Masters, gradients and moments are zeros at first. */
  constructor(
    readonly gpu: Gpu,
    readonly specs: readonly ParameterSpec[],
  ) {
    const { chunks, places } = layout(specs, gpu.facts.limits.maxBinding, gpu.facts.limits.offsetAlignment);
    this.#buffers = allocateChunks(gpu, chunks);
    this.pieces = chunks.flatMap((chunk, i) => cut(chunk, this.#chunk(i), gpu.facts.limits.maxBinding));
    for (const { spec, chunk, offset } of places) {
      const view = (role: ArenaRole) => {
        const label = role === "master" ? spec.name : `${role} of ${spec.name}`;
        return new Tensor(this.#chunk(chunk)[role], "f32", spec.rows, spec.cols, spec.rows, label, offset);
      };
      this.#views.set(spec.name, {
        master: view("master"),
        gradient: view("gradient"),
        m: view("m"),
        v: view("v"),
      });
    }
  }

  /** The weights [rows, cols] f32: what forward and backward read. */
  param(name: string): Tensor {
    return this.view("master", name);
  }

  /** Where backward writes d loss / d param, [rows, cols] f32. */
  gradient(name: string): Tensor {
    return this.view("gradient", name);
  }

  /** One parameter in one arena. */
  view(role: ArenaRole, name: string): Tensor {
    const views = this.#views.get(name);
    if (views === undefined) throw new Error(`There is no trainable parameter ${name}`);
    return views[role];
  }

  /** Values [rows, cols] of one parameter in one arena, for saving. Submits and waits. */
  read(role: ArenaRole, name: string): Promise<Float32Array> {
    return readTensor(this.gpu, this.view(role, name));
  }

  /** Replaces the values [rows, cols] of one parameter in one arena. */
  write(role: ArenaRole, name: string, values: Float32Array): void {
    writeTensor(this.gpu, this.view(role, name), values);
  }

  /** Sets all of one arena to zero, in recorded order. */
  clear(role: ArenaRole): void {
    for (const buffers of this.#buffers) this.gpu.recorder.clear(buffers[role], 0, buffers[role].size);
  }

  /** Gives the buffers back to the pool; the views must not be used any more. */
  destroy(): void {
    for (const buffers of this.#buffers) for (const role of arenaRoles) this.gpu.release(buffers[role]);
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  #chunk(index: number): Buffers {
    const buffers = this.#buffers[index];
    if (buffers === undefined) throw new Error(`There is no chunk ${index} of the parameters`);
    return buffers;
  }
}

/** Group by group, decayed parameters first, each at an aligned offset; a new chunk where one would grow past a binding. */
function layout(specs: readonly ParameterSpec[], maxBinding: number, alignment: number) {
  const decays = (s: ParameterSpec) => s.decay !== false;
  const groupOf = (s: ParameterSpec) => s.group ?? baseGroup;
  const ordered = [...new Set(specs.map(groupOf))].flatMap((group) => {
    const own = specs.filter((s) => groupOf(s) === group);
    return [...own.filter(decays), ...own.filter((s) => !decays(s))];
  });
  const chunks: Chunk[] = [];
  const places: Place[] = [];
  const names = new Set<string>();
  for (const spec of ordered) {
    if (spec.rows < 1 || spec.cols < 1) throw new Error(`Parameter ${spec.name} is empty`);
    if (names.has(spec.name)) throw new Error(`Parameter ${spec.name} is listed twice`);
    names.add(spec.name);
    const bytes = Math.ceil((spec.rows * rowBytes(spec)) / alignment) * alignment;
    let chunk = chunks.at(-1);
    if (chunk === undefined || chunk.bytes + bytes > maxBinding) {
      chunk = { bytes: 0, ranges: [] };
      chunks.push(chunk);
    }
    places.push({ spec, chunk: chunks.length - 1, offset: chunk.bytes });
    chunk.bytes += bytes;
    const range = chunk.ranges.at(-1);
    if (range?.decay === decays(spec) && range.group === groupOf(spec)) range.end = chunk.bytes;
    else chunk.ranges.push({ decay: decays(spec), group: groupOf(spec), end: chunk.bytes });
  }
  return { chunks, places };
}

/** Zeros, also between the parameters: sums and updates run over the gaps too. All chunks, or none where one does not fit. */
function allocateChunks(gpu: Gpu, chunks: readonly Chunk[]): Buffers[] {
  const taken: GpuBuffer[] = [];
  const one = (bytes: number, role: ArenaRole) => {
    const buffer = gpu.allocatePersistent(bytes, `parameters (${role})`);
    taken.push(buffer);
    gpu.recorder.clear(buffer, 0, buffer.size);
    return buffer;
  };
  try {
    return chunks.map(({ bytes }) => ({
      master: one(bytes, "master"),
      gradient: one(bytes, "gradient"),
      m: one(bytes, "m"),
      v: one(bytes, "v"),
    }));
  } catch (error) {
    for (const buffer of taken) gpu.release(buffer);
    throw error;
  }
}

/** A chunk of one parameter that is larger than a binding takes several pieces. */
function cut({ bytes, ranges }: Chunk, buffers: Buffers, maxBinding: number): ArenaPiece[] {
  const most = Math.max(1, Math.floor(maxBinding / blockBytes)) * blockBytes;
  const run = (offset: number, end: number): Run => ({
    bytes: end - offset,
    binding: (role) => ({ buffer: buffers[role], offset, size: end - offset }),
  });
  const pieces: ArenaPiece[] = [];
  for (let offset = 0; offset < bytes; offset += most) {
    const end = Math.min(offset + most, bytes);
    const own = ranges.flatMap(({ decay, group, end: last }, i) => {
      const from = Math.max(offset, ranges[i - 1]?.end ?? 0);
      const to = Math.min(end, last);
      return from < to ? [{ ...run(from, to), decay, group }] : [];
    });
    pieces.push({ ...run(offset, end), ranges: own });
  }
  return pieces;
}
