/** @file Waits for a CPU adapter begin when most of the work is done: on a clock of our own. */
import { afterEach, expect, it, vi } from "vitest";
import { Pace } from "../../src/gpu/pace.ts";

/** A device that does `rate` work per millisecond, one submit after the other. */
function device(rate: () => number) {
  let now = 0;
  let free = 0;
  const waits: { slept: number; waited: number }[] = [];
  const pace = new Pace(
    () => now,
    async (milliseconds) => {
      now += milliseconds;
    },
  );
  const run = async (work: number, compiling = 0) => {
    free = Math.max(free, now) + compiling + work / rate();
    pace.submitted(work, compiling > 0);
    const done = free;
    const before = now;
    await pace.around(async () => {
      const began = now;
      now = Math.max(now, done);
      waits.push({ slept: began - before, waited: now - began });
    });
    return now - before - compiling - work / rate();
  };
  return { run, waits, pace };
}

it("sleeps through most of each wait but the first, and is never late at a steady rate", async () => {
  const { run, waits } = device(() => 100);
  for (let i = 0; i < 20; i++) expect(await run(100 * (50 + 37 * (i % 5)))).toBeCloseTo(0, 6);
  expect(waits[0]?.slept).toBe(0);
  for (const { slept, waited } of waits.slice(1)) expect(slept / (slept + waited)).toBeCloseTo(0.8, 6);
});

it("a first wait that was far too slow does not make the next ones long", async () => {
  let rate = 0.001;
  const { run } = device(() => rate);
  await run(1);
  rate = 1000;
  const late: number[] = [];
  for (let i = 0; i < 6; i++) late.push(await run(1e6));
  // Twice the second that the first took, less what the work itself takes.
  expect(late[0]).toBeLessThanOrEqual(2000);
  for (const time of late.slice(1)) expect(time).toBeCloseTo(0, 6);
});

it("compiling is neither slept through nor taken for work", async () => {
  const { run, waits } = device(() => 100);
  await run(100, 3000);
  for (let i = 0; i < 4; i++) {
    expect(await run(20_000)).toBeCloseTo(0, 6);
    expect(await run(20_000, 1000)).toBeCloseTo(0, 6);
  }
  const slept = waits.map((wait) => wait.slept);
  expect(slept.filter((_, i) => i % 2 === 0)).toEqual([0, 0, 0, 0, 0]);
  // The first work told nothing; from the second on the rate is known.
  expect(slept.filter((_, i) => i % 2 === 1)).toEqual([0, 160, 160, 160]);
});

it("slower work costs nothing; work that is suddenly faster is overslept once", async () => {
  let rate = 100;
  const { run } = device(() => rate);
  for (let i = 0; i < 5; i++) await run(20_000);
  rate = 30;
  expect(await run(20_000)).toBeCloseTo(0, 6);
  rate = 300;
  const late: number[] = [];
  for (let i = 0; i < 12; i++) late.push(await run(20_000));
  expect(late[0]).toBeGreaterThan(0);
  for (const time of late.slice(1)) expect(time).toBeCloseTo(0, 6);
});

it("short work is waited for at once, and so is all after a stop", async () => {
  const { run, waits, pace } = device(() => 100);
  await run(10_000);
  await run(300);
  expect(waits[1]?.slept).toBe(0);
  pace.stop();
  await run(10_000);
  expect(waits[2]?.slept).toBe(0);
});

afterEach(() => {
  vi.useRealTimers();
});

it("many who wait at once lose one sleep that was too long between them, not one each", async () => {
  vi.useFakeTimers();
  const pace = new Pace();
  let free = performance.now();
  const wait = (work: number, rate: number) => {
    pace.submitted(work, false);
    free = Math.max(free, performance.now()) + work / rate;
    const done = free;
    return pace.around(
      () => new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, done - performance.now()))),
    );
  };
  const all = (waits: Promise<void>[]) => {
    const began = performance.now();
    const time = Promise.all(waits).then(() => performance.now() - began);
    return vi.advanceTimersByTimeAsync(60_000).then(() => time);
  };
  expect(await all([wait(100, 0.1)])).toBeCloseTo(1000, 6);
  // Ten reads of work that is done at once: 0.8 of the second that the first was expected to take, the longest sleep in
  // which the others don't notice, and a millisecond, the least that a timer takes.
  expect(await all(Array.from({ length: 10 }, () => wait(100, 100)))).toBeLessThanOrEqual(901);
  expect(await all(Array.from({ length: 10 }, () => wait(100, 100)))).toBeCloseTo(10, 6);
});
