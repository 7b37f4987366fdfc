/** @file The first interrupt while a step runs asks it to finish; the second, and any other, ends the process at once. */
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { Interruptible, listenForInterrupts } from "../../src/cli/interrupt.ts";

const before = { SIGINT: process.listeners("SIGINT"), SIGTERM: process.listeners("SIGTERM") };
beforeAll(() => {
  listenForInterrupts();
  return () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      for (const listener of process.listeners(signal))
        if (!before[signal].includes(listener)) process.off(signal, listener);
  };
});
const exit = vi.spyOn(process, "exit").mockImplementation((() => undefined) as never);
afterEach(() => exit.mockClear());
const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Our own listener hears it, not the test runner's. */
function send(signal: "SIGINT" | "SIGTERM"): void {
  for (const listener of process.listeners(signal)) if (!before[signal].includes(listener)) listener(signal);
}

it.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s", async (signal, code) => {
  send(signal);
  await tick();
  expect(exit).toHaveBeenLastCalledWith(code);
  exit.mockClear();
  {
    using step = new Interruptible();
    const said = vi.fn();
    step.arm(said);
    expect(step.exitCode).toBeUndefined();
    send(signal);
    await tick();
    expect(exit).not.toHaveBeenCalled();
    expect([said.mock.calls.length, step.signal.aborted, step.exitCode]).toEqual([1, true, code]);
    send(signal === "SIGINT" ? "SIGTERM" : "SIGINT");
    await tick();
    expect(exit).toHaveBeenCalledTimes(1);
    exit.mockClear();
  }
  using idle = new Interruptible();
  {
    using ended = new Interruptible();
    ended.arm(() => expect.fail("it has ended"));
  }
  send(signal);
  await tick();
  expect(exit).toHaveBeenLastCalledWith(code);
  expect(idle.signal.aborted).toBe(false);
});
