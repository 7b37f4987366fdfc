/** @file metrics.jsonl as a run appends to it: its length is part of the training state, and a resumed run cuts it there. */
import { open, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { RmtrainError } from "../../errors.ts";
import { isSystemError } from "../../model/atomic-file.ts";
import { appendLine, type EvalLine, metricsFile, type TrainLine } from "../metrics.ts";

export class MetricsLog {
  private constructor(
    readonly path: string,
    /** Length in bytes after the last whole line. */
    public bytes: number,
  ) {}

  /**
   * Cuts the file back to `bytes`: lines of steps that are to be done again, and one that was torn.
   * @param note told where the file is shorter, so that lines are missing
   * @throws RmtrainError naming the file where it can't be cut
   */
  static async open(out: string, bytes: number, note: (text: string) => void): Promise<MetricsLog> {
    const path = join(out, metricsFile);
    try {
      const { size } = await stat(path);
      if (size < bytes)
        note(`${path} is shorter than when the state was saved: lines of earlier steps are missing`);
      if (size > bytes) await truncate(path, bytes);
      return new MetricsLog(path, Math.min(size, bytes));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (error.code !== "ENOENT")
        throw new RmtrainError(`can't go on with ${path}: ${error.message}`, { cause: error });
      if (bytes > 0) note(`${path} is gone: the lines of earlier steps are missing`);
      return new MetricsLog(path, 0);
    }
  }

  /** @throws RmtrainError naming the file that cannot be written */
  async append(line: TrainLine | EvalLine): Promise<void> {
    this.bytes += await appendLine(this.path, line);
  }

  /** What has been appended outlives a power cut. */
  async sync(): Promise<void> {
    if (this.bytes === 0) return;
    const handle = await open(this.path, "r+");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
