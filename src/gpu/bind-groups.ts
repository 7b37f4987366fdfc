/**
 * @file Bind groups, kept while the buffers in them live. A group depends on the layout and the bound ranges alone, and
 * making one costs ten times finding one; so finding makes no object and no string.
 */
import type { GpuBuffer } from "./buffers.ts";

/** A range of a buffer, in bytes. Without a range: all of it. */
export interface Binding {
  readonly buffer: GpuBuffer;
  readonly offset?: number;
  readonly size?: number;
}

export interface CachedGroup {
  readonly hash: number;
  readonly layout: number;
  readonly ranges: readonly { readonly id: number; readonly offset: number; readonly size: number }[];
  readonly group: GPUBindGroup;
}

/** Stands for "to the buffer's end". */
const rest = -1;

export class BindGroups {
  readonly #byHash = new Map<number, CachedGroup[]>();

  /** @param layout the number of the layout that both have */
  find(layout: number, bindings: readonly Binding[]): GPUBindGroup | undefined {
    const found = this.#byHash.get(hashOf(layout, bindings));
    if (found === undefined) return undefined;
    for (const cached of found) if (isOf(cached, layout, bindings)) return cached.group;
    return undefined;
  }

  add(layout: number, bindings: readonly Binding[], group: GPUBindGroup): void {
    const hash = hashOf(layout, bindings);
    const ranges = bindings.map(({ buffer, offset = 0, size = rest }) => ({ id: buffer.id, offset, size }));
    const cached = { hash, layout, ranges, group };
    const others = this.#byHash.get(hash);
    if (others === undefined) this.#byHash.set(hash, [cached]);
    else others.push(cached);
    for (const { buffer } of bindings) buffer.bindGroups.add(cached);
  }

  /** Forgets all groups of a buffer. */
  forget(buffer: GpuBuffer): void {
    for (const cached of buffer.bindGroups) {
      const left = this.#byHash.get(cached.hash)?.filter((other) => other !== cached) ?? [];
      if (left.length > 0) this.#byHash.set(cached.hash, left);
      else this.#byHash.delete(cached.hash);
    }
    buffer.bindGroups.clear();
  }

  clear(): void {
    this.#byHash.clear();
  }
}

function hashOf(layout: number, bindings: readonly Binding[]): number {
  let hash = layout;
  for (const { buffer, offset = 0, size = rest } of bindings) {
    hash = Math.imul(hash ^ buffer.id, 0x9e3779b1);
    hash = Math.imul((hash ^ (hash >>> 15)) + offset, 0x85ebca6b);
    hash = Math.imul((hash ^ (hash >>> 13)) + size, 0xc2b2ae35);
  }
  return hash;
}

function isOf(cached: CachedGroup, layout: number, bindings: readonly Binding[]): boolean {
  if (cached.layout !== layout || cached.ranges.length !== bindings.length) return false;
  for (let i = 0; i < bindings.length; i++) {
    const { buffer, offset = 0, size = rest } = bindings[i]!;
    const range = cached.ranges[i]!;
    if (range.id !== buffer.id || range.offset !== offset || range.size !== size) return false;
  }
  return true;
}
