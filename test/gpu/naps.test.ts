/** @file Waiting for a CPU adapter: on a clock and an event loop of our own. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { Naps } from "../../src/gpu/naps.ts";

/** Milliseconds that a turn of the loop takes when nobody naps: Dawn asks the device. */
const asking = 0.003;

/** An event loop in which waits end in the first turn after their device is done. */
function loop() {
  let now = 0;
  let napped = 0;
  let turns = 0;
  let longestTurn = 0;
  const queue: (() => void)[] = [];
  const waits = new Set<{ done: number; end: () => void }>();
  const naps = new Naps(
    () => now,
    (milliseconds) => {
      now += milliseconds;
      napped += milliseconds;
    },
    (next) => queue.push(next),
  );
  /** @returns how long after its end a work of so many milliseconds is seen to be done */
  const wait = async (milliseconds: number) => {
    const done = now + milliseconds;
    await naps.around(() => new Promise<void>((end) => waits.add({ done, end })));
    return now - done;
  };
  const run = async <T>(work: Promise<T>): Promise<T> => {
    let result: { value: T } | undefined;
    void work.then((value) => {
      result = { value };
    });
    while (result === undefined) {
      const before = now;
      now += asking;
      for (const next of queue.splice(0)) next();
      longestTurn = Math.max(longestTurn, now - before);
      turns++;
      for (const entry of waits) {
        if (entry.done > now) continue;
        waits.delete(entry);
        entry.end();
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return result.value;
  };
  const stats = () => ({ now, napped, turns, longestTurn, queued: queue.length });
  return { wait, run, stats };
}

it("is late by no more than an eighth of what it waited, and a millisecond", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ min: 0.01, max: 60, noNaN: true }), { minLength: 1, maxLength: 4 }),
      async (all) => {
        const { wait, run } = loop();
        for (const milliseconds of all) {
          const late = await run(wait(milliseconds));
          expect(late).toBeLessThanOrEqual(Math.min(1, milliseconds / 8) + 2 * asking);
        }
      },
    ),
    { numRuns: 30 },
  );
});

it("leaves the processor to work that takes long", async () => {
  const { wait, run, stats } = loop();
  await run(wait(100));
  const { now, napped, turns } = stats();
  expect(napped / now).toBeGreaterThan(0.99);
  expect(turns).toBeLessThan(200);
});

it("naps once in a turn, however many wait, and no longer once they have ended", async () => {
  const { wait, run, stats } = loop();
  await run(Promise.all([wait(30), wait(30), wait(40)]));
  // Three naps would take three milliseconds.
  expect(stats().longestTurn).toBeLessThan(1.5);
  await run(Promise.resolve());
  await run(Promise.resolve());
  expect(stats().queued).toBe(0);
  expect(await run(wait(0.05))).toBeLessThan(0.02);
});

it("ends with a wait that fails", async () => {
  const naps = new Naps();
  await expect(naps.around(() => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
});
