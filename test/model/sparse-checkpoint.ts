/** @file Checkpoints of hundreds of MiB that take no disk: files of holes, with a few values written into them. */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { ModelConfig } from "../../src/model/config.ts";
import { expectedTensors } from "../../src/model/families/tensors.ts";

/** Values at an element's index in a tensor's row-major order. */
export interface Patch {
  readonly tensor: string;
  readonly index: number;
  readonly values: Float32Array;
}

/** Writes dir/model.safetensors: every tensor of the config as F32 zeros, then the patches. */
export function writeSparseCheckpoint(dir: string, config: ModelConfig, patches: readonly Patch[]): void {
  const begin = new Map<string, number>();
  let end = 0;
  const entries = expectedTensors(config).map(({ names: [name = ""], shape }) => {
    begin.set(name, end);
    const offsets = [end, end + 4 * shape.reduce((a, b) => a * b, 1)];
    end = offsets[1] ?? end;
    return [name, { dtype: "F32", shape, data_offsets: offsets }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = openSync(join(dir, "model.safetensors"), "w");
  writeSync(file, length);
  writeSync(file, header);
  ftruncateSync(file, 8 + header.length + end);
  for (const { tensor, index, values } of patches) {
    const at = begin.get(tensor);
    if (at === undefined) throw new Error(`no tensor ${tensor}`);
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    writeSync(file, bytes, 0, bytes.length, 8 + header.length + at + 4 * index);
  }
  closeSync(file);
}
