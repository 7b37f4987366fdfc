/**
 * @file How the host waits for a device that is its own processor. Dawn in Node asks a device again and again, once in each
 * turn of the event loop, while somebody waits for it; where the device is a CPU adapter, that takes a processor from the
 * very work that is waited for. So in each turn the host naps: for a share of the time that nothing has happened, so that
 * what is short is not made longer, and no longer than a millisecond, in which everything else of the process waits.
 */

/** Of the time since a wait last began or ended, how much longer napping may make it. */
const share = 1 / 8;
/** Milliseconds. */
const longest = 1;

/** Atomics.wait with nobody to wake it is a sleep that keeps the event loop from turning. */
const cell = typeof SharedArrayBuffer === "undefined" ? undefined : new Int32Array(new SharedArrayBuffer(4));
const sleep = (milliseconds: number) => {
  if (cell !== undefined) Atomics.wait(cell, 0, 0, milliseconds);
};

/** Dawn in Node turns this very loop. In a browser nobody asks the device, and a page may not sleep. */
export const canNap =
  cell !== undefined && typeof process !== "undefined" && process.versions?.node !== undefined;

export class Naps {
  #waits = 0;
  #turning = false;
  /** When a wait last began or ended. */
  #since = 0;

  constructor(
    readonly now: () => number = () => performance.now(),
    readonly nap: (milliseconds: number) => void = sleep,
    readonly turn: (next: () => void) => void = (next) => setImmediate(next),
  ) {}

  /** Naps until what `wait` began has ended. */
  async around<T>(wait: () => Promise<T>): Promise<T> {
    this.#waits++;
    this.#since = this.now();
    if (!this.#turning) this.#turn();
    try {
      return await wait();
    } finally {
      this.#waits--;
      this.#since = this.now();
    }
  }

  #turn(): void {
    this.#turning = this.#waits > 0;
    if (!this.#turning) return;
    this.nap(Math.min(longest, share * (this.now() - this.#since)));
    this.turn(() => this.#turn());
  }
}

/** One for all devices of the process: they share its event loop. */
export const naps = new Naps();
