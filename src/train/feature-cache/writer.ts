/**
 * @file Adds rows to the cache. Every writer has a segment of its own, so that processes never write to one file, and
 * makes its room known (the file's size) before it asks whether all files fit the limit: of two that race for the last
 * bytes, one at least sees both, and nothing is written above the limit.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename } from "node:fs/promises";
import { type CacheFolder, completeName } from "./folder.ts";
import { encodeRecords, header, headerBytes, type Rows, recordBytes, type Space } from "./segment.ts";

/** A segment's size: small enough that dropping one loses little, large enough that there are few. */
const mostSegmentBytes = 64 * 2 ** 20;

interface OpenSegment {
  readonly name: string;
  readonly handle: FileHandle;
  /** Bytes written. */
  end: number;
}

export class CacheWriter {
  /** Rows that found no room under the limit. */
  refused = 0;
  #segment: OpenSegment | undefined;
  readonly #segmentBytes: number;

  constructor(
    readonly folder: CacheFolder,
    readonly space: Space,
  ) {
    this.#segmentBytes = Math.min(mostSegmentBytes, Math.floor(folder.limit / 4));
  }

  async append(rows: Rows): Promise<void> {
    const size = recordBytes(this.space);
    const records = encodeRecords(this.space, rows);
    for (let at = 0; at < records.length; ) {
      this.#segment ??= await this.#begin();
      const granted = await this.#reserve(this.#segment, records.length - at);
      if (granted === "gone") continue;
      if (granted === 0) {
        this.refused += (records.length - at) / size;
        return;
      }
      await this.#segment.handle.write(records, at, granted, this.#segment.end);
      this.#segment.end += granted;
      at += granted;
      if (this.#segment.end + size > this.#segmentBytes) await this.close();
    }
  }

  /** Completes the segment that is being written. */
  async close(): Promise<void> {
    const segment = this.#segment;
    this.#segment = undefined;
    if (segment === undefined) return;
    const { handle, name, end } = segment;
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (end <= headerBytes) {
      await this.folder.drop(name);
      return;
    }
    const complete = completeName(name);
    await rename(this.folder.path(name), this.folder.path(complete));
    this.folder.renamed(name, complete);
  }

  async #begin(): Promise<OpenSegment> {
    const name = `${this.space.id}-${randomBytes(6).toString("hex")}.part`;
    const handle = await open(this.folder.path(name), "wx");
    await this.folder.use(name);
    return { name, handle, end: 0 };
  }

  /**
   * Room for whole records after what is written, the header first; "gone" where another process has dropped the file.
   * @returns bytes, at most `wanted` and at most what the segment may still take
   */
  async #reserve(segment: OpenSegment, wanted: number): Promise<number | "gone"> {
    const size = recordBytes(this.space);
    const { handle } = segment;
    const first = segment.end === 0 ? headerBytes : 0;
    const begin = segment.end + first;
    const fitting = Math.max(size, Math.floor((this.#segmentBytes - begin) / size) * size);
    let bytes = Math.min(wanted, fitting);
    await handle.truncate(begin + bytes);
    const { over, names } = await this.folder.makeRoom();
    if (!names.has(segment.name)) {
      this.#segment = undefined;
      await handle.close();
      return "gone";
    }
    if (over > 0) {
      bytes = Math.max(0, bytes - Math.ceil(over / size) * size);
      await handle.truncate(bytes === 0 ? segment.end : begin + bytes);
    }
    if (bytes > 0 && first > 0) {
      await handle.write(header(this.space), 0, headerBytes, 0);
      segment.end = headerBytes;
    }
    return bytes;
  }
}
