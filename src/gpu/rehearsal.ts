/** @file The accounting of a pool that holds no buffers: how much memory work would take, found without taking any. */

export interface RehearsedMemory {
  /** Bytes in use at the highest, with what is in use already: what the work cannot do without. */
  readonly peak: number;
  /**
   * Bytes in use or pooled in the end, with what is in use already: what the driver has given out where nothing forces
   * the pool to give buffers back. More than `peak`, since a free buffer serves its own size only.
   */
  readonly held: number;
}

/** Begins with an empty pool. */
export class Rehearsal {
  live = 0;
  peak = 0;
  held = 0;
  readonly #free = new Map<number, number>();

  /** @param size a size class */
  allocate(size: number): void {
    this.live += size;
    this.peak = Math.max(this.peak, this.live);
    const free = this.#free.get(size) ?? 0;
    if (free > 0) this.#free.set(size, free - 1);
    else this.held += size;
  }

  release(size: number): void {
    this.live -= size;
    this.#free.set(size, (this.#free.get(size) ?? 0) + 1);
  }
}
