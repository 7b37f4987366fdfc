/** @file A stream's items in windows, collected while whoever takes them is at work on the window before. */
import { setImmediate as turn } from "node:timers/promises";

export interface WindowSize {
  /** Most items in a window. */
  readonly items: number;
  /** A window is closed by the item that brings its weight to this. */
  readonly weight: number;
  /** Milliseconds without a new item after which a waiting taker gets what there is. */
  readonly patience: number;
}

/**
 * Windows of at least one item, in order. At most one is collected ahead. What came before a failure of the source is
 * handed out before the failure is thrown.
 */
export async function* windows<T>(
  source: AsyncIterable<T>,
  weigh: (item: T) => number,
  size: WindowSize,
): AsyncGenerator<T[]> {
  const ahead = new ReadAhead(source, weigh, size);
  try {
    for (let window = await ahead.take(); window.length > 0; window = await ahead.take()) yield window;
  } finally {
    ahead.stop();
  }
}

/** Work between two looks at the event loop: a device that is done with a batch waits no longer for the next one. */
const sliceMs = 5;

class ReadAhead<T> {
  #items: T[] = [];
  #weight = 0;
  /** Items that have come so far. */
  #count = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #stopped = false;
  /** The taker, until something has come, and until all has; or the collector, until the window has been taken. */
  readonly #waiting: (() => void)[] = [];
  readonly #iterator: AsyncIterator<T>;

  constructor(
    source: AsyncIterable<T>,
    readonly weigh: (item: T) => number,
    readonly size: WindowSize,
  ) {
    this.#iterator = source[Symbol.asyncIterator]();
    void this.#collect();
  }

  async take(): Promise<T[]> {
    while (!this.#full && !this.#ended) {
      const seen = this.#count;
      const waited = await this.#change(this.#items.length > 0 ? this.size.patience : undefined);
      if (!waited && this.#count === seen) break;
    }
    if (this.#items.length === 0 && this.#failure !== undefined) throw this.#failure.error;
    const window = this.#items;
    this.#items = [];
    this.#weight = 0;
    this.#wake();
    return window;
  }

  /** The source is told, but not waited for: it may be waiting for input that never comes. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
    if (!this.#ended) void this.#iterator.return?.()?.catch(() => {});
  }

  get #full(): boolean {
    return this.#items.length >= this.size.items || this.#weight >= this.size.weight;
  }

  async #collect(): Promise<void> {
    let began = performance.now();
    try {
      for (;;) {
        const next = await this.#iterator.next();
        if (next.done || this.#stopped) break;
        this.#items.push(next.value);
        this.#weight += this.weigh(next.value);
        this.#count++;
        if (this.#items.length === 1) this.#wake(); // from here on a taker's patience counts
        while (this.#full && !this.#stopped) {
          this.#wake();
          await this.#change();
        }
        if (performance.now() - began < sliceMs) continue;
        await turn();
        began = performance.now();
      }
    } catch (error) {
      this.#failure = { error };
    }
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** @returns false where `limit` milliseconds passed before anything changed */
  #change(limit?: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = limit === undefined ? undefined : setTimeout(resolve, limit, false);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}
