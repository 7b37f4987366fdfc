/** @file The lines of metrics.jsonl so far, read on from where the last reading ended: the file may be long. */
import { open } from "node:fs/promises";
import { isSystemError } from "../../model/atomic-file.ts";
import type { EvalLine, TrainLine } from "../metrics.ts";

export class MetricsReader {
  readonly train: TrainLine[] = [];
  readonly evals: EvalLine[] = [];
  #offset = 0;

  constructor(readonly file: string) {}

  /** Takes in the lines that were added since; a last one that is not whole waits. No file: no lines yet. */
  async update(): Promise<void> {
    const bytes = await this.#rest();
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#offset += end;
    for (const text of bytes.toString("utf8", 0, end).split("\n")) {
      if (text === "") continue;
      const line: TrainLine | EvalLine = JSON.parse(text);
      if ("eval_loss" in line) this.evals.push(line);
      else this.train.push(line);
    }
  }

  async #rest(): Promise<Buffer> {
    try {
      await using handle = await open(this.file);
      const { size } = await handle.stat();
      const bytes = Buffer.alloc(Math.max(0, size - this.#offset));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, this.#offset);
      return bytes.subarray(0, bytesRead);
    } catch (error) {
      if (isSystemError(error) && error.code === "ENOENT") return Buffer.alloc(0);
      throw error;
    }
  }
}
