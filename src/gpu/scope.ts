/** @file The lifetime of intermediate buffers: what a scope owns goes back to the pool when it ends. */
import type { BufferPool, GpuBuffer } from "./buffers.ts";

export class Scope implements Disposable {
  readonly #owned = new Set<GpuBuffer>();

  constructor(
    readonly pool: BufferPool,
    readonly onEnd: (scope: Scope) => void,
  ) {}

  /** @internal */
  own(buffer: GpuBuffer): void {
    this.#owned.add(buffer);
  }

  /** Whether the buffer goes back to the pool when the scope ends. */
  owns(buffer: GpuBuffer): boolean {
    return this.#owned.has(buffer);
  }

  /** The buffer outlives the scope; the caller releases it. */
  keep(buffer: GpuBuffer): void {
    if (!this.#owned.delete(buffer)) throw new Error(`${buffer.label} does not belong to this scope`);
  }

  /** Gives a buffer back before the scope ends, so that the next operation can reuse it. */
  release(buffer: GpuBuffer): void {
    this.keep(buffer);
    this.pool.release(buffer);
  }

  [Symbol.dispose](): void {
    this.onEnd(this);
    for (const buffer of this.#owned) this.pool.release(buffer);
    this.#owned.clear();
  }
}
