/** @file Windows of a stream: every item once and in order, collected ahead, whatever the source and the taker do. */
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { windows } from "../../src/audit/windows.ts";

const size = { items: 3, weight: 10, patience: 20 };

async function* from<T>(items: readonly T[], pause?: (i: number) => Promise<unknown> | undefined) {
  for (const [i, item] of items.entries()) {
    await pause?.(i);
    yield item;
  }
}

async function all<T>(source: AsyncIterable<T[]>, pause?: () => Promise<unknown>): Promise<T[][]> {
  const taken: T[][] = [];
  for await (const window of source) {
    taken.push(window);
    await pause?.();
  }
  return taken;
}

it("every item once and in order; a window ends at its number of items or with the item that brings its weight", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(12)), async (items) => {
      const taken = await all(windows(from(items), (n) => n, size));
      expect(taken.flat()).toEqual(items);
      const weight = (window: readonly number[]) => window.reduce((a, b) => a + b, 0);
      for (const [i, window] of taken.entries()) {
        expect(window.length).toBeGreaterThan(0);
        expect(weight(window.slice(0, -1))).toBeLessThan(size.weight);
        expect(window.length).toBeLessThanOrEqual(size.items);
        if (i < taken.length - 1) expect(window.length === 3 || weight(window) >= 10).toBe(true);
      }
    }),
  );
});

describe("while a window is worked on", () => {
  it("the next one is collected, and no more than that", async () => {
    let pulled = 0;
    const source = from([...Array(20).keys()], async () => pulled++);
    const stream = windows(source, () => 0, size);
    await stream.next();
    await sleep(50);
    expect(pulled).toBe(6); // three taken, three ready
    await stream.next();
    await sleep(50);
    expect(pulled).toBe(9);
    await stream.return(undefined);
    await sleep(50);
    expect(pulled).toBe(9);
  });

  it("the event loop goes on, although the source never waits", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    async function* busy() {
      for (let i = 0; i < 40; i++) {
        const until = performance.now() + 3;
        while (performance.now() < until);
        yield i;
      }
    }
    await all(windows(busy(), () => 0, { ...size, items: 40 }));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });
});

it("a source that pauses: what there is goes on after a while, alone", async () => {
  const pause = (i: number) => (i === 2 || i === 3 ? sleep(200) : undefined);
  const taken = await all(windows(from([1, 2, 3, 4, 5], pause), () => 0, size));
  expect(taken).toEqual([[1, 2], [3], [4, 5]]);
});

it("a failure of the source comes after what came before it", async () => {
  async function* failing() {
    yield* [1, 2, 3, 4];
    throw new Error("damaged");
  }
  for (const slow of [undefined, () => sleep(5)]) {
    const seen: number[] = [];
    const reading = async () => {
      for await (const window of windows(failing(), () => 0, size)) {
        seen.push(...window);
        await slow?.();
      }
    };
    await expect(reading()).rejects.toThrow("damaged");
    expect(seen).toEqual([1, 2, 3, 4]);
  }
});

it("a taker who leaves does not wait for a source that is silent, and the source is told", async () => {
  let told = false;
  const silent: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => {
      let given = false;
      return {
        next: () => {
          if (given) return new Promise(() => {});
          given = true;
          return Promise.resolve({ value: 1, done: false });
        },
        return: async () => {
          told = true;
          return { value: undefined, done: true };
        },
      };
    },
  };
  for await (const window of windows(silent, () => 0, size)) {
    expect(window).toEqual([1]);
    break;
  }
  expect(told).toBe(true);
});
