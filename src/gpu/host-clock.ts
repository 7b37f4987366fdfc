/**
 * @file Seconds of this thread on a processor, which unlike the clock don't count what other threads do meanwhile: on a
 * CPU adapter the device's work runs on the same processors.
 */

/** Undefined where the operating system does not tell (it does on Linux). */
export type HostClock = { readonly seconds: () => number; readonly ownTime: boolean };

/** Of this thread's time where the system tells it, else of the time of day. */
export async function hostClock(): Promise<HostClock> {
  // Named through a variable so that a browser's bundler does not follow it.
  const fs = "node:fs";
  const node = globalThis as { process?: { platform?: string } };
  if (node.process?.platform === "linux") {
    const { readFileSync } = (await import(/* @vite-ignore */ fs)) as typeof import("node:fs");
    // Nanoseconds on a processor, nanoseconds waiting for one, time slices.
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    const seconds = () => {
      // The system brings a thread's account up to date when the thread makes way, else only at its ticks.
      Atomics.wait(sleeper, 0, 0, 0.01);
      return Number(readFileSync("/proc/thread-self/schedstat", "latin1").split(" ")[0]) / 1e9;
    };
    try {
      if (seconds() > 0) return { seconds, ownTime: true };
    } catch {
      // A kernel without such statistics.
    }
  }
  return { seconds: () => performance.now() / 1e3, ownTime: false };
}
