/** @file Mappable buffers for reading results back, reused between reads. */
import { bufferUsage, sizeClass } from "./buffers.ts";

const mapModeRead = 0x1;

export class Staging {
  readonly #free = new Map<number, GPUBuffer[]>();

  constructor(readonly device: GPUDevice) {}

  take(bytes: number): GPUBuffer {
    const size = sizeClass(bytes);
    const usage = bufferUsage.mapRead | bufferUsage.copyDst;
    return this.#free.get(size)?.pop() ?? this.device.createBuffer({ label: "staging", size, usage });
  }

  /** Waits for the copies submitted into `staging`, returns its bytes and takes it back. */
  async map(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    await staging.mapAsync(mapModeRead, 0, Math.max(bytes, 4));
    const copy = staging.getMappedRange(0, Math.max(bytes, 4)).slice(0, bytes);
    staging.unmap();
    const free = this.#free.get(staging.size);
    if (free === undefined) this.#free.set(staging.size, [staging]);
    else free.push(staging);
    return copy;
  }
}
