/**
 * @file rmtrain on a GPU beside the device's own ceilings and beside PyTorch there: linears (f32 with TF32 off, and the
 * f16 class against f16), what memory bounds, attention against PyTorch's own, a training step against a loop like TRL's;
 * f32 with Dawn's robustness checks and without. Ends with the targets. About 5 minutes.
 *
 *   npx tsx bench/gpu/run.ts [--small] [--seconds OF_EACH_CASE] [--only PART_OF_A_NAME,...]
 *
 * --small, the default on a CPU adapter: tiny sizes and PyTorch on the CPU, to see that it runs; its figures mean nothing.
 * PyTorch is that of `python3`, or of what RMTRAIN_PYTHON names. Needs the development packages but none of
 * bench/peers/node_modules. For a machine without them: npm run build-gpu-bench, which writes .gpu/bench; carry that and the
 * production packages there, and run: node .gpu/bench/bench/gpu/run.js
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Ceilings, measureCeilings } from "../../src/kernels/ceilings.ts";
import { openGpu } from "../../src/kernels/open.ts";
import { benchSetting } from "../../src/train/bench/setting.ts";
import { contest, startAll } from "../peers/contest.ts";
import { timesHeader, timesLines } from "../peers/table.ts";
import { gpuCases, smallCases } from "./cases.ts";
import { gpuContestants } from "./contestants.ts";
import { targetsTable } from "./targets.ts";

const { values: flags } = parseArgs({
  options: {
    small: { type: "boolean", default: false },
    seconds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
  },
});

/** Closed before anything is timed, so that the contestants have the device to themselves. */
async function device(): Promise<{ ceilings: Ceilings; heading: string; small: boolean }> {
  using gpu = await openGpu();
  const ceilings = await measureCeilings(gpu);
  const { adapter, machine, versions, date } = benchSetting(gpu);
  const { parts } = ceilings;
  const rate = (of: number, unit: string) => `${(of / 1e9).toFixed(1)} ${unit}`;
  const heading = [
    `${date}, ${adapter}; ${machine}; ${Object.entries(versions)
      .map((entry) => entry.join(" "))
      .join(", ")}`,
    "",
    `- copy: ${rate(ceilings.bytesPerSecond, "GB/s")} (kernel ${rate(parts.copyKernel, "GB/s")}, command ${rate(parts.copyCommand, "GB/s")})`,
    `- fma: ${rate(ceilings.flopsPerSecond, "GFLOP/s")}`,
  ].join("\n");
  return { ceilings, heading, small: flags.small || gpu.facts.software };
}

const began = performance.now();
const elapsed = () => `${((performance.now() - began) / 1e3).toFixed(0)} s`;
const { ceilings, heading, small } = await device();
const dir = mkdtempSync(join(tmpdir(), "rmtrain-gpu-"));
const { contestants, versions } = await startAll(gpuContestants(small ? "cpu" : "cuda"));
try {
  console.log(`${heading}\n${versions.join("\n")}\n`);
  if (small) console.log("Small sizes, which only show that everything runs.\n");
  console.log(timesHeader);
  const measured = [];
  for (const definition of await (small ? smallCases() : gpuCases())) {
    if (!flags.only.split(",").some((part) => definition.name.includes(part))) continue;
    const files = join(dir, String(measured.length));
    const seconds = small ? 0.2 : Number(flags.seconds);
    const row = await contest(definition, contestants, files, { seconds, clock: "seconds" });
    measured.push({ definition, row });
    // Told at once: a machine may be taken away.
    console.log(timesLines(row));
    rmSync(files, { recursive: true, force: true });
    console.error(`${definition.name}: done after ${elapsed()}`);
  }
  console.log(`\n${targetsTable(measured, ceilings, !small)}\n\n${elapsed()} in all.`);
} finally {
  for (const contestant of contestants) contestant.stop();
  rmSync(dir, { recursive: true, force: true });
}
