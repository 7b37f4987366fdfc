/** @file How far `score` has come: with the time left where the input's size is known, else lines and speed alone. */
import { stat } from "node:fs/promises";
import { STDIN } from "../data/sources/files.ts";
import { drawCompiling } from "./compiling.ts";
import { Progress } from "./progress.ts";

const phase = "scoring";
/** Milliseconds between two lines where there is neither a terminal nor a size. */
const interval = 5000;

export class ScoreProgress {
  readonly #progress: Progress;
  #bytes = 0;
  #linesRead = 0;
  #began = performance.now();
  #announced = this.#began;

  private constructor(
    readonly stream: NodeJS.WriteStream,
    /** Bytes of all files; undefined where one is a pipe, or Parquet, which is not read from front to end. */
    readonly size: number | undefined,
  ) {
    this.#progress = new Progress(stream);
  }

  static async of(files: readonly string[], stream: NodeJS.WriteStream = process.stderr) {
    let size: number | undefined = 0;
    for (const file of files) {
      const inOrder = file !== STDIN && !/\.parquet$/i.test(file);
      const facts = inOrder ? await stat(file).catch(() => undefined) : undefined;
      size = facts?.isFile() && size !== undefined ? size + facts.size : undefined;
    }
    return new ScoreProgress(stream, size);
  }

  /** Scoring begins. */
  begin(): void {
    this.#began = performance.now();
    this.#announced = this.#began;
    if (this.size !== undefined) this.#progress.begin(phase, 1);
  }

  /** The device's driver compiles kernels for the next batch. */
  readonly onCompiled = (done: number, total: number): void => {
    if (this.size === undefined) this.#replace("");
    drawCompiling(this.#progress, done, total);
    // The next look at the lines shows the scoring again.
    if (done === total) this.#progress.stop();
  };

  /** The same items, counted. */
  async *counted<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const item of items) {
      this.#linesRead++;
      yield item;
    }
  }

  /** Of the input, as they are read. */
  readonly onBytes = (count: number): void => {
    this.#bytes += count;
  };

  /** @param tokens computed so far */
  update(lines: number, tokens: number): void {
    const total = this.#total();
    const seconds = Math.max(1, performance.now() - this.#began) / 1e3;
    const status = `${Math.round(lines / seconds)} lines/s, ${Math.round(tokens / seconds)} tokens/s`;
    if (total === undefined) this.#tell(`${lines} lines, ${status}`);
    // The end has a line of its own.
    else if (lines < total) {
      const share = Math.floor((100 * lines) / total);
      this.#progress.update(phase, lines, total, status, `${lines} lines (${share} %), ${status}`);
    }
  }

  stop(): void {
    this.#progress.stop();
    if (this.size === undefined) this.#replace("");
  }

  /** Lines of the whole input, if those to come are as long as those that were read. */
  #total(): number | undefined {
    if (this.size === undefined || this.#bytes === 0) return undefined;
    return Math.round(this.#linesRead * Math.max(1, this.size / this.#bytes));
  }

  #tell(text: string): void {
    if (this.#progress.onTerminal) this.#replace(text);
    else if (performance.now() - this.#announced >= interval) {
      this.#announced = performance.now();
      this.stream.write(`${text}\n`);
    }
  }

  /** One line that replaces itself, on a terminal. */
  #replace(text: string): void {
    if (this.#progress.onTerminal) this.stream.write(`\r\x1b[K${text}`);
  }
}
