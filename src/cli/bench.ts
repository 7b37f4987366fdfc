/** @file `rmtrain bench`: how fast each kernel is, beside what the device can do at best. */
import type { Command } from "commander";
import { InputError } from "../errors.ts";
import { type BenchCase, benchCases } from "../kernels/bench/cases.ts";
import { type BenchRow, measure } from "../kernels/bench/measure.ts";
import { type Ceilings, measureCeilings } from "../kernels/ceilings.ts";
import { openGpu } from "../kernels/open.ts";
import { addRunOptions, type RunFlags, runBench } from "./bench-run.ts";
import { memoryBudgetOption } from "./options.ts";

interface Flags extends RunFlags {
  readonly filter?: string;
}

export function register(program: Command): void {
  const command = program
    .command("bench")
    .description("measure each kernel at one shape, beside the device's own ceilings")
    .option("--json", "print JSON (default: a table)")
    .option("--filter <name>", "only kernels whose name contains this (default: all)")
    .addOption(memoryBudgetOption());
  addRunOptions(command).action(run);
}

async function run(flags: Flags): Promise<void> {
  if (flags.train !== undefined || flags.score !== undefined) return await runBench(flags);
  using gpu = await openGpu({ memoryBudget: flags.memoryBudget });
  const cases = select(benchCases(gpu), flags.filter);
  const ceilings = await measureCeilings(gpu);
  if (!flags.json) process.stdout.write(heading(gpu.facts.description, ceilings));
  const rows: BenchRow[] = [];
  for (const benchCase of cases) {
    const row = await measure(gpu, benchCase, ceilings);
    rows.push(row);
    if (!flags.json) process.stdout.write(line(row));
  }
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ adapter: gpu.facts.description, ceilings, rows }, null, 2)}\n`);
  }
}

function select(cases: readonly BenchCase[], filter = ""): readonly BenchCase[] {
  const chosen = cases.filter(({ name }) => name.includes(filter));
  if (chosen.length > 0) return chosen;
  throw new InputError(
    `No kernel's name contains "${filter}". There are: ${cases.map(({ name }) => name).join(", ")}`,
  );
}

const giga = (rate: number) => (rate / 1e9).toFixed(2);

function heading(adapter: string, { flopsPerSecond, bytesPerSecond }: Ceilings): string {
  const ceilings = `Ceilings: ${giga(flopsPerSecond)} GFLOP/s (fma in registers), ${giga(bytesPerSecond)} GB/s (copy)`;
  return `${adapter}\n${ceilings}\n\n${columns("kernel", "ms", "GFLOP/s", "GB/s", "share", "shape")}`;
}

const line = ({ name, shape, seconds, flopsPerSecond, bytesPerSecond, share }: BenchRow) =>
  columns(
    name,
    (seconds * 1e3).toFixed(3),
    giga(flopsPerSecond),
    giga(bytesPerSecond),
    `${Math.round(share * 100)} %`,
    shape,
  );

function columns(
  name: string,
  ms: string,
  flops: string,
  bytes: string,
  share: string,
  shape: string,
): string {
  const numbers = [ms, flops, bytes, share].map((cell) => cell.padStart(10)).join("");
  return `${name.padEnd(26)}${numbers}  ${shape}\n`;
}
