/**
 * @file When to begin to wait for the device. Dawn in Node asks a device again and again while somebody waits for it, which
 * on a CPU adapter takes a processor from the very work that is waited for. So the host sleeps by a timer first, for most
 * of the time that the work will take: as long as it would at the best rate seen so far. Work for which the driver first
 * compiles pipelines says nothing of that rate, and is never slept through. The rate may still be far too low, where other
 * processes had the processors; so no sleep is much longer than the wait before, and a rate that made one too long is
 * forgotten, by all who sleep at that moment too.
 */

/** Of the expected time, how much is slept. */
const sleptShare = 0.8;
/** And at most so many times as long as the last work took that was not overslept. */
const mostGrowth = 2;
/** Milliseconds. Shorter sleeps aren't worth a timer; longer ones are cut, so that whoever closes the device is not kept. */
const leastSleep = 4;
const longestSleep = 100;
/** A wait that is over so soon after a sleep began too late: milliseconds, and a share of the sleep (a quarter is meant). */
const atOnce = 1;
const atOnceShare = 0.1;

const timer = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

export class Pace {
  /** Work per millisecond, of the fastest waits; 0 while it isn't known. */
  #rate = 0;
  /** Milliseconds that the last work took. */
  #took = 0;
  #submitted = 0;
  #done = 0;
  /** When the work that is not done was begun. */
  #since = 0;
  /** What of the submitted work compiles pipelines ends here. */
  #compiles = 0;
  #stopped = false;

  constructor(
    readonly now: () => number = () => performance.now(),
    readonly sleep: (milliseconds: number) => Promise<void> = timer,
  ) {}

  /**
   * @param work as dispatches estimate it
   * @param compiles whether the driver may have to compile pipelines for it
   */
  submitted(work: number, compiles: boolean): void {
    if (this.#submitted === this.#done) this.#since = this.now();
    this.#submitted += work;
    if (compiles) this.#compiles = this.#submitted;
  }

  /** Sleeps and then waits for what has been submitted so far. @param wait begins to wait, and ends when that is done */
  async around<T>(wait: () => Promise<T>): Promise<T> {
    const target = this.#submitted;
    const slept = await this.#sleepBefore(target);
    const began = this.now();
    const result = await wait();
    this.#completed(target, slept > 0 && this.now() - began < Math.max(atOnce, atOnceShare * slept));
    return result;
  }

  /** Nobody sleeps any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** @returns how long it slept, in milliseconds */
  async #sleepBefore(target: number): Promise<number> {
    const began = this.now();
    let slept = 0;
    for (;;) {
      if (this.#rate === 0 || this.#compiles > this.#done) return slept;
      const expected = (sleptShare * (target - this.#done)) / this.#rate;
      const end = this.#since + Math.min(expected, mostGrowth * this.#took);
      const left = Math.min(end - this.now(), longestSleep);
      if (left < leastSleep || this.#stopped) return slept;
      await this.sleep(left);
      slept = this.now() - began;
    }
  }

  #completed(target: number, late: boolean): void {
    const work = target - this.#done;
    if (work <= 0) return;
    const now = this.now();
    // Slept too long: the rate is higher, no one knows by how much. Else the best one, slowly forgotten.
    if (late) this.#rate = 0;
    else if (this.#compiles <= this.#done) {
      this.#took = now - this.#since;
      this.#rate = Math.max(work / Math.max(this.#took, 1), 0.95 * this.#rate);
    }
    this.#done = target;
    this.#since = now;
  }
}
