/** @file The command's frame: which exit code, on which stream, and that the process always ends. */
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { finished, rmtrain, spawnRmtrain } from "./run-rmtrain.ts";

const randomHead = ["score", "--model", "models/base-random", "--init-head", "normal", "--data", "-"];

describe("usage", () => {
  it("--version and --help: exit code 0, on stdout", async () => {
    const version = await rmtrain(["--version"]);
    expect(version.code).toBe(0);
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = await rmtrain(["--help"]);
    expect(help.code).toBe(0);
    for (const command of ["train", "score", "trace", "doctor", "bench"]) expect(help.out).toContain(command);
  });

  it("every option of train has its default in --help", async () => {
    const { out } = await rmtrain(["train", "--help"]);
    const options = out.split(/\n(?= {2}-)/).slice(1);
    expect(options.length).toBeGreaterThan(20);
    // What has no default: a required option, those that overrule another, those that are off, and help itself.
    const without = /--(data|max-steps|warmup-steps|eval-data|help)\b/;
    const silent = options.filter((option) => !without.test(option) && !/default/.test(option));
    expect(silent).toEqual([]);
  });

  it("without a command it is train; what is missing is named: exit code 2, on stderr", async () => {
    const { code, out, err } = await rmtrain([]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("required option '--data <file...>' not specified");
  });

  it.each([
    [["--data", "x", "--epochs", "many"], "--epochs"],
    [["--data", "x", "--batch-size", "0"], "--batch-size"],
    [["--data", "x", "--memory-budget", "lots"], "--memory-budget"],
    [["--data", "x", "--schedule", "square"], "--schedule"],
    [["--data", "x", "--no-such-option"], "--no-such-option"],
  ])("%j is refused by the option's name", async (args, named) => {
    const { code, out, err } = await rmtrain(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(named);
    expect(err).not.toMatch(/^ {4}at /m);
  });
});

describe("the process ends", () => {
  it("after bad input that comes when the device is open: one line, no stack, exit code 2", async () => {
    const { code, out, err } = await rmtrain(randomHead, '{"text": "Good."}\n{"text": 7}\n');
    expect(code).toBe(2);
    expect(out).toMatch(/^(\{.*\}\n)?$/);
    expect(err).toMatch(/^rmtrain: .*2.*$/m);
    expect(err).not.toMatch(/^ {4}at /m);
  });

  it("after a failure of the device: exit code 1", async () => {
    const { code, err } = await rmtrain([...randomHead, "--memory-budget", "64KiB"], '{"text": "Good."}\n');
    expect(code).toBe(1);
    expect(err).toMatch(/^rmtrain: .*--memory-budget/m);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("on %s during work: exit code %i", async (signal, code) => {
    const child = spawnRmtrain(randomHead);
    child.stdin.on("error", () => {});
    const lines = (count: number, tokens: number) =>
      `${JSON.stringify({ input_ids: new Array(tokens).fill(4) })}\n`.repeat(count);
    // A window that is done at once, then work for minutes.
    child.stdin.write(lines(512, 1) + lines(20_000, 400));
    const end = finished(child);
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill(signal);
    const began = performance.now();
    const result = await end;
    expect(result.code, result.err).toBe(code);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
