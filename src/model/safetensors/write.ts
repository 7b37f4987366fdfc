/**
 * @file Writes a safetensors file: streaming, atomic, and byte for byte what the format's reference writer makes of
 * the same tensors (its order by type then name, its JSON, its padding).
 */
import { Buffer } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { RmtrainError } from "../../errors.ts";
import { replaceFile } from "../atomic-file.ts";
import { type Dtype, dtypeRank, tensorByteLength } from "./dtype.ts";
import { MAX_HEADER_BYTES, METADATA_KEY, PREFIX_BYTES } from "./header.ts";
import { quoted } from "./scanner.ts";

/** A tensor to write. `data` is called once, when its turn comes; a chunk may be reused after the next is asked for. */
export interface TensorSource {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  data: () => Uint8Array | AsyncIterable<Uint8Array>;
}

interface PlacedTensor extends TensorSource {
  size: number;
}

/**
 * Writes `path`. Holds no more than one chunk in memory; the previous file stays until the new one is complete.
 * @param metadata free text for `__metadata__`, or null for none; loaders of PyTorch models want `format: "pt"`
 * @throws RmtrainError when a name comes twice or can't be stored, a shape is no shape, a producer yields too few or
 * too many bytes (named), or the system refuses
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorSource>,
  metadata: Readonly<Record<string, string>> | null = { format: "pt" },
): Promise<void> {
  const placed = placeTensors(path, tensors);
  const header = encodeHeader(path, placed, metadata);
  await replaceFile(path, async (handle) => {
    await handle.writeFile(header);
    for (const tensor of placed) await writeTensor(path, handle, tensor);
  });
}

function placeTensors(path: string, tensors: Iterable<TensorSource>): PlacedTensor[] {
  const byName = new Map<string, PlacedTensor>();
  for (const { name, dtype, shape, data } of tensors) {
    const tensor = `${path}: tensor ${quoted(name)}`;
    if (byName.has(name)) throw new RmtrainError(`${tensor} is given twice`);
    if (name === METADATA_KEY) throw new RmtrainError(`${tensor} has a name that the format reserves`);
    if (/\p{Surrogate}/u.test(name)) throw new RmtrainError(`${tensor} has a name with no UTF-8 form`);
    const isShape = shape.every((size) => Number.isSafeInteger(size) && size >= 0);
    const size = isShape ? tensorByteLength(dtype, shape) : undefined;
    if (size === undefined) throw new RmtrainError(`${tensor} can't have the shape [${shape.join(", ")}]`);
    byName.set(name, { name, dtype, shape, data, size });
  }
  return [...byName.values()].sort(referenceOrder);
}

/** Wider types first, so that every tensor is aligned to its element; then by the UTF-8 bytes of the name. */
function referenceOrder(a: PlacedTensor, b: PlacedTensor): number {
  return dtypeRank(b.dtype) - dtypeRank(a.dtype) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}

function encodeHeader(
  path: string,
  placed: readonly PlacedTensor[],
  metadata: Readonly<Record<string, string>> | null,
): Uint8Array {
  const members: string[] = [];
  if (metadata !== null) {
    const sorted = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)); // any order is legal: make it one
    members.push(`${JSON.stringify(METADATA_KEY)}:${JSON.stringify(Object.fromEntries(sorted))}`);
  }
  let begin = 0;
  for (const { name, dtype, shape, size } of placed) {
    const entry = JSON.stringify({ dtype, shape, data_offsets: [begin, begin + size] });
    members.push(`${JSON.stringify(name)}:${entry}`);
    begin += size;
  }
  const json = Buffer.from(`{${members.join(",")}}`);
  const padded = Math.ceil(json.byteLength / 8) * 8;
  if (padded > MAX_HEADER_BYTES || !Number.isSafeInteger(PREFIX_BYTES + padded + begin)) {
    throw new RmtrainError(`${path}: too many or too large tensors for one file: save them in several`);
  }
  const header = new Uint8Array(PREFIX_BYTES + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, PREFIX_BYTES);
  return header;
}

async function writeTensor(path: string, handle: FileHandle, tensor: PlacedTensor): Promise<void> {
  const { name, size } = tensor;
  const wanted = `${path}: tensor ${quoted(name)} needs ${size} bytes`;
  const data = tensor.data();
  let written = 0;
  for await (const chunk of data instanceof Uint8Array ? [data] : data) {
    written += chunk.byteLength;
    if (written > size) throw new RmtrainError(`${wanted}, its producer gave at least ${written}`);
    await handle.writeFile(chunk); // appends, however little one system call takes
  }
  if (written < size) throw new RmtrainError(`${wanted}, its producer gave ${written}`);
}
