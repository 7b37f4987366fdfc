/** @file How far some work has come: a bar on a terminal, else a line every few seconds and one at the end. */
import cliProgress from "cli-progress";

/** Seconds between two lines where there is no terminal. */
const interval = 5;

export class Progress {
  readonly #bar: cliProgress.SingleBar | undefined;
  #phase: string | undefined;
  #began = performance.now();
  #announced = 0;
  #before = 0;
  /** What the bar shows. */
  #shown = { total: 0, done: 0, status: "" };

  /** @param stream stderr; stdout is for results */
  constructor(readonly stream: NodeJS.WriteStream) {
    if (!stream.isTTY) return;
    this.#bar = new cliProgress.SingleBar({
      stream,
      format: "{phase} {bar} {percentage}% | {status} | {eta_formatted} left",
      clearOnComplete: true,
      etaBuffer: 50,
    });
  }

  /** Whether there is a bar: lines beside it would break it. */
  get onTerminal(): boolean {
    return this.#bar !== undefined;
  }

  /** @param done what had been done before, whose time does not count */
  begin(phase: string, total: number, done = 0): void {
    this.#bar?.stop();
    this.#bar?.start(total, done, { phase, status: "" });
    this.#shown = { total, done, status: "" };
    this.#before = done;
    this.#phase = phase;
    this.#began = performance.now();
    this.#announced = 0;
  }

  /** Seconds since the phase began; a phase that nobody announced begins now. */
  seconds(phase: string, total: number): number {
    if (this.#phase !== phase) this.begin(phase, total);
    return Math.max((performance.now() - this.#began) / 1e3, 1e-3);
  }

  /**
   * @param total may be another than before, where it is an estimate
   * @param status is shown beside the bar
   * @param line is what a line without a bar says
   */
  update(phase: string, done: number, total: number, status: string, line: string): void {
    const seconds = this.seconds(phase, total);
    if (this.#bar !== undefined) {
      this.#bar.setTotal(total);
      this.#bar.update(done, { phase, status });
      this.#shown = { total, done, status };
      return;
    }
    if (done < total && seconds - this.#announced < interval) return;
    this.#announced = seconds;
    const own = done - this.#before;
    const left = own > 0 ? Math.round((seconds * (total - done)) / own) : 0;
    this.stream.write(`${line}, ${left} s left\n`);
  }

  /** A line of its own; the phase, where there is one, goes on after it. */
  note(text: string): void {
    this.#bar?.stop();
    this.stream.write(`${text}\n`);
    if (this.#phase === undefined) return;
    const { total, done, status } = this.#shown;
    this.#bar?.start(total, done, { phase: this.#phase, status });
  }

  stop(): void {
    this.#bar?.stop();
    this.#phase = undefined;
  }
}
