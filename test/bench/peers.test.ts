/** @file bench/peers and bench/gpu: that a library that computes something else isn't timed, and what tables say. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { targetsTable as gpuTargets } from "../../bench/gpu/targets.ts";
import type { Standing } from "../../bench/lib/interleave.ts";
import { contest, startAll } from "../../bench/peers/contest.ts";
import { node } from "../../bench/peers/contestants.ts";
import { rowWise } from "../../bench/peers/peer-case.ts";
import type { Row } from "../../bench/peers/table.ts";
import { targetsTable } from "../../bench/peers/targets.ts";
import { noise, readTensors, relativeError, transposed, writeTensors } from "../../bench/peers/tensors.ts";

const dir = mkdtempSync(join(tmpdir(), "rmtrain-peers-test-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Multiplies by a factor; what an honest contestant of softmax does does not matter here. */
function contestantBy(factor: number): string {
  const file = join(dir, `by-${factor}.mjs`);
  writeFileSync(
    file,
    `export const open = async () => ({
      version: "by ${factor}",
      prepare: async ({ definition, inputs }) => definition.operation !== "softmax" ? undefined : {
        run: async () => {},
        results: async () => new Map([["y", { shape: [2, 4], values: inputs.get("x").values.map((v) => v * ${factor}) }]]),
        release: () => {},
      },
    });`,
  );
  return file;
}

const command = (name: string, module: string) => {
  const whole = node(name, "any");
  return { ...whole, args: [...whole.args.slice(0, -1), module] };
};

const standing = (name: string, median: number): Standing => ({
  name,
  median,
  best: median,
  low: median,
  high: median,
});

const row = (name: string, medians: Readonly<Record<string, number>>): Row => ({
  name,
  shape: "",
  flops: 6e9,
  bytes: 8e9,
  rounds: 1,
  absent: [],
  cells: Object.entries(medians).map(([contestant, median]) => ({
    contestant,
    standing: standing(contestant, median),
    error: 0,
  })),
});

describe("contest", () => {
  test("times those whose results agree with the first's, and says who was left out", async () => {
    const right = contestantBy(1);
    const { contestants, versions } = await startAll([
      command("first", right),
      command("wrong", contestantBy(1.001)),
      command("right", right),
      command("absent", join(dir, "no-such-module.mjs")),
    ]);
    try {
      expect(versions.map((line) => /not installed/.test(line))).toEqual([false, false, false, true]);
      const options = { seconds: 0, clock: "seconds" } as const;
      const { cells, absent, rounds } = await contest(
        rowWise("softmax", 2, 4),
        contestants,
        join(dir, "a"),
        options,
      );
      expect(cells.map(({ contestant }) => contestant)).toEqual(["first", "right"]);
      expect(absent).toHaveLength(1);
      expect(absent[0]).toMatch(/^wrong: .*1\.0e-3/);
      expect(rounds).toBeGreaterThanOrEqual(3);
      const none = await contest(rowWise("layer_norm", 2, 4), contestants, join(dir, "b"), options);
      expect(none.cells).toEqual([]);
    } finally {
      for (const contestant of contestants) contestant.stop();
    }
  }, 30_000);
});

describe("tensors", () => {
  test("come back from a file as they were", async () => {
    const file = join(dir, "tensors.safetensors");
    const tensors = new Map([["a", noise(7, [3, 5])]]);
    await writeTensors(file, tensors);
    expect(await readTensors(file)).toEqual(tensors);
  });

  test("rows and columns change places", () => {
    const matrix = { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) };
    expect(transposed(matrix)).toEqual({ shape: [3, 2], values: Float32Array.of(1, 4, 2, 5, 3, 6) });
  });

  test("the relative error is that of all tensors together, and NaN where one is missing", () => {
    const of = (...values: number[]) => ({ shape: [values.length], values: Float32Array.from(values) });
    const reference = new Map([
      ["a", of(3)],
      ["b", of(4)],
    ]);
    expect(
      relativeError(
        new Map([
          ["a", of(3)],
          ["b", of(4.5)],
        ]),
        reference,
      ),
    ).toBeCloseTo(0.1);
    expect(relativeError(new Map([["a", of(3)]]), reference)).toBeNaN();
  });
});

describe("targets", () => {
  test("ours against the fastest library on WebGPU; a CPU's does not count", () => {
    const softmax = row("softmax", { rmtrain: 1, "jax-js": 1.9, "ort webgpu": 3, "pytorch cpu": 0.1 });
    const matmul = row("matmul", { rmtrain: 1, "rmtrain + transfers": 2, "ort webgpu": 4 });
    const lines = targetsTable([
      { operation: "softmax", row: softmax },
      { operation: "linear", row: matmul },
    ]).split("\n");
    expect(lines[2]).toContain("| softmax | jax-js | 1900.0 | 1000.0 | 1.90 | 2 | missed |");
    expect(lines[3]).toContain("| matmul | ort webgpu | 4000.0 | 1000.0 | 4.00 | 3 | reached | 2.00 |");
  });

  test("on a GPU what memory bounds is held against the copy, and what was not measured is said", () => {
    const ceilings = {
      bytesPerSecond: 10e9,
      flopsPerSecond: 12e9,
      parts: { copyKernel: 0, copyCommand: 0, fma8Chains: 0, fma2Chains: 0 },
    };
    const measured = {
      definition: { ...rowWise("softmax", 2, 4), bytes: 8e9 },
      row: row("softmax", { "rmtrain f32": 1 }),
    };
    const lines = gpuTargets([measured], ceilings, true).split("\n");
    expect(lines[2]).toBe("| softmax: rmtrain f32, of the copy | 80 % | 80 % | reached |");
    expect(lines[3]).toBe("| softmax: rmtrain f32, no robustness, of the copy | not measured | 80 % |  |");
    expect(gpuTargets([measured], ceilings, false)).not.toContain("reached");
  });
});
