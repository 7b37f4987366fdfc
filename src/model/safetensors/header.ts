/**
 * @file The header of a safetensors file, read and checked by every rule of the format's reference implementation
 * (huggingface/safetensors, README "Format" and `Metadata::validate`), and stricter where a file could mean two
 * things. Pure: it takes bytes and imports nothing of Node, so a browser uses it too.
 *
 * A file is: u64 little-endian header length n | n bytes of JSON, padded with spaces | the tensors' bytes, end to end.
 */
import { InputError } from "../../errors.ts";
import { type Dtype, isDtype, tensorByteLength } from "./dtype.ts";
import { HeaderScanner, quoted } from "./scanner.ts";

/** Bytes before the JSON: its length. */
export const PREFIX_BYTES = 8;

/** The reference's cap on the JSON, in bytes. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The header's member that holds free text instead of a tensor. */
export const METADATA_KEY = "__metadata__";

/** Where a tensor lies. `begin` and `end` are absolute byte offsets in `file`, `end` exclusive. */
export interface TensorInfo {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  file: string;
  begin: number;
  end: number;
}

/** A header's content. Tensors are in the order of their bytes. */
export interface Header {
  tensors: Map<string, TensorInfo>;
  metadata: Record<string, string>;
}

/**
 * How many bytes at the file's start `parseHeader` needs: the prefix and the JSON.
 * @param prefix at least the first 8 bytes of the file
 * @param fileSize the file's size in bytes
 * @param file the name for messages
 * @throws InputError when the length breaks a rule; so a caller never allocates more than the file holds
 */
export function headerByteLength(prefix: Uint8Array, fileSize: number, file: string): number {
  if (!Number.isSafeInteger(fileSize))
    throw new InputError(`${file}: files above 2^53 bytes aren't supported`);
  if (fileSize < PREFIX_BYTES || prefix.byteLength < PREFIX_BYTES) {
    throw new InputError(
      `${file}: not a safetensors file: ${fileSize} bytes are too few. Download it again.`,
    );
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new InputError(
      `${file}: not a safetensors file: its header would have ${length} bytes, above the cap of ${MAX_HEADER_BYTES}. ` +
        "If this is a Git LFS pointer, fetch the real file.",
    );
  }
  if (PREFIX_BYTES + length > fileSize) {
    throw new InputError(
      `${file}: the header has ${length} bytes but the file only ${fileSize}: it is cut short. Download it again.`,
    );
  }
  return PREFIX_BYTES + length;
}

/**
 * Reads and validates a header: names, types, shapes, and that the tensors' byte ranges fill the rest of the file
 * with no hole, no overlap and nothing after the last.
 * @param bytes the file's beginning, at least `headerByteLength` bytes
 * @param fileSize the file's size in bytes
 * @param file the name for messages and for `TensorInfo.file`
 * @throws InputError naming the file and, where one is at fault, the tensor
 */
export function parseHeader(bytes: Uint8Array, fileSize: number, file: string): Header {
  const dataBegin = headerByteLength(bytes, fileSize, file);
  if (bytes.byteLength < dataBegin) {
    throw new InputError(`${file}: ${bytes.byteLength} bytes of its header were given, it has ${dataBegin}`);
  }
  const text = decodeUtf8(bytes.subarray(PREFIX_BYTES, dataBegin));
  const scanner = new HeaderScanner(text ?? "", file);
  if (text === undefined) throw scanner.error("the header isn't UTF-8");
  if (!text.startsWith("{")) throw scanner.error(`the header doesn't begin with "{"`);

  let metadata: Record<string, string> = {};
  const infos: TensorInfo[] = [];
  for (const name of scanner.members("the header")) {
    if (name === METADATA_KEY) metadata = readMetadata(scanner);
    else infos.push(readTensor(scanner, name, file, dataBegin));
  }
  scanner.end();
  infos.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkLayout(scanner, infos, dataBegin, fileSize);
  return { tensors: new Map(infos.map((info) => [info.name, info])), metadata };
}

function readMetadata(scanner: HeaderScanner): Record<string, string> {
  const entries: [string, string][] = [];
  for (const key of scanner.members(METADATA_KEY)) {
    entries.push([key, scanner.string(`${METADATA_KEY}, ${quoted(key)}`)]);
  }
  return Object.fromEntries(entries); // defines own properties, so "__proto__" is a key like any other
}

function readTensor(scanner: HeaderScanner, name: string, file: string, dataBegin: number): TensorInfo {
  const tensor = `tensor ${quoted(name)}`;
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  for (const key of scanner.members(tensor)) {
    if (key === "dtype") dtype = scanner.string(`${tensor}, dtype`);
    else if (key === "shape") shape = scanner.integers(`${tensor}, shape`);
    else if (key === "data_offsets") offsets = scanner.integers(`${tensor}, data_offsets`);
    // The reference skips a key it doesn't know; such a key could change what the bytes mean.
    else throw scanner.error(`${tensor} has the unknown key ${quoted(key)}`);
  }
  if (dtype === undefined) throw scanner.error(`${tensor} has no dtype`);
  if (shape === undefined) throw scanner.error(`${tensor} has no shape`);
  if (offsets === undefined) throw scanner.error(`${tensor} has no data_offsets`);
  if (!isDtype(dtype)) throw scanner.error(`${tensor} has the unknown dtype ${quoted(dtype)}`);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2) {
    throw scanner.error(`${tensor} has ${offsets.length} data_offsets, not 2`);
  }
  if (begin > end) throw scanner.error(`${tensor} begins at ${begin}, after its end at ${end}`);
  const size = tensorByteLength(dtype, shape);
  if (size === undefined) {
    throw scanner.error(
      `${tensor} has a size that is no whole number of bytes below 2^53 (${dtype} ${brief(shape)})`,
    );
  }
  if (size !== end - begin) {
    throw scanner.error(`${tensor} has ${end - begin} bytes, but ${dtype} ${brief(shape)} needs ${size}`);
  }
  return { name, dtype, shape, file, begin: dataBegin + begin, end: dataBegin + end };
}

/** Checks that byte ranges, in rising order, fill the file from `dataBegin` to its end exactly. */
function checkLayout(
  scanner: HeaderScanner,
  infos: readonly TensorInfo[],
  dataBegin: number,
  fileSize: number,
): void {
  let filled = dataBegin;
  let last = "the header";
  for (const { name, begin, end } of infos) {
    const tensor = `tensor ${quoted(name)}`;
    if (begin > filled)
      throw scanner.error(`${begin - filled} bytes between ${last} and ${tensor} belong to no tensor`);
    if (begin < filled) throw scanner.error(`${tensor} overlaps ${last} by ${filled - begin} bytes`);
    if (end > fileSize) {
      throw scanner.error(`${tensor} ends at byte ${end} but the file at ${fileSize}: it is cut short`);
    }
    filled = end;
    last = tensor;
  }
  if (filled < fileSize) throw scanner.error(`${fileSize - filled} bytes after ${last} belong to no tensor`);
}

function brief(shape: readonly number[]): string {
  return shape.length > 8
    ? `[${shape.slice(0, 8).join(", ")}, … ${shape.length} sizes]`
    : `[${shape.join(", ")}]`;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
