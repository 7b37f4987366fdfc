/** @file The benchmark of kernels: ceilings, overheads, as many rows as fit the time, and what becomes of them. */
import { InputError } from "../../errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Precision } from "../../gpu/precision.ts";
import { type BenchCase, benchCases } from "../../kernels/bench/cases.ts";
import { boundOf } from "../../kernels/bench/measure.ts";
import { measureOverheads } from "../../kernels/bench/overheads.ts";
import { measureAll } from "../../kernels/bench/run.ts";
import { type Ceilings, measureCeilings } from "../../kernels/ceilings.ts";
import { openGpu } from "../../kernels/open.ts";
import { writeFileAtomic } from "../../model/atomic-file.ts";
import { benchSetting } from "../../train/bench/setting.ts";
import { Progress } from "../progress.ts";
import { measureProcessor } from "./blas.ts";
import { compare } from "./compare.ts";
import { readModelShape } from "./model-shape.ts";
import { type BenchReport, readReport, reportFormat } from "./report.ts";
import { aboveCeiling, comparisonText, reportText } from "./tables.ts";

export interface KernelFlags {
  readonly json?: true;
  readonly filter?: string;
  readonly model?: string;
  /** Seconds. */
  readonly budget: number;
  readonly full?: true;
  readonly compare?: string;
  readonly html?: string;
  readonly memoryBudget: number;
  readonly precision: Precision;
}

export async function benchKernels(flags: KernelFlags): Promise<void> {
  const begun = performance.now();
  // What can be wrong with the input is found before anything is measured.
  const before = flags.compare === undefined ? undefined : await readReport(flags.compare);
  const models = flags.model === undefined ? undefined : [await readModelShape(flags.model)];
  using gpu = await openGpu({ memoryBudget: flags.memoryBudget, precision: flags.precision });
  const cases = select(benchCases(gpu, models), flags.filter);
  const report = await measureReport(gpu, cases, begun, flags.full ? Number.POSITIVE_INFINITY : flags.budget);
  const comparison = before === undefined ? undefined : compare(before, report);
  if (flags.html !== undefined) {
    // Libraries for plots take a third of a second to load.
    const { benchPage } = await import("./page.ts");
    await writeFileAtomic(flags.html, benchPage(report, comparison));
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ ...report, comparison }, null, 2)}\n`);
  else {
    process.stdout.write(reportText(report));
    if (comparison !== undefined)
      process.stdout.write(`\n${comparisonText(comparison, flags.compare ?? "")}`);
  }
}

/** Part of the budget that remains after the last row: the ceilings once more, the reports. */
const closingSeconds = 3;
/** Seconds. */
const longRun = 15;

/** @param begun when the time budget, in seconds, began */
async function measureReport(
  gpu: Gpu,
  cases: readonly BenchCase[],
  begun: number,
  budget: number,
): Promise<BenchReport> {
  const progress = new Progress(process.stderr);
  try {
    const first = await measureCeilings(gpu);
    const measured = performance.now();
    const processor = gpu.facts.software ? await measureProcessor() : undefined;
    const overheads = await measureOverheads(gpu);
    const { rows, leftOut } = await measureAll(gpu, cases, first, {
      deadline: begun + (budget - closingSeconds) * 1e3,
      onCase: (done, of, name) => {
        // Rows or the budget: whichever ends first.
        const share = Math.max(done / of, (performance.now() - begun) / 1e3 / budget);
        progress.update("kernels", Math.round(share * 100), 100, name, `${done} of ${of} rows: ${name}`);
      },
    });
    // A machine that was busy at the beginning may be less so at the end of a long run.
    const isLong = performance.now() - measured > longRun * 1e3;
    let ceilings = isLong ? higher(first, await measureCeilings(gpu)) : first;
    for (let again = 0; again < 3 && aboveCeiling(rows, ceilings).length > 0; again++)
      ceilings = higher(ceilings, await measureCeilings(gpu));
    return {
      format: reportFormat,
      ...benchSetting(gpu),
      versions: { ...benchSetting(gpu).versions },
      precision: gpu.facts.precision,
      ceilings,
      ...(processor === undefined ? {} : { processor }),
      overheads,
      rows: rows.map((row) => {
        const { seconds, limit } = boundOf(row, ceilings);
        return { ...row, limit, share: seconds / row.seconds };
      }),
      leftOut: [...leftOut],
      seconds: (performance.now() - begun) / 1e3,
    };
  } finally {
    progress.stop();
  }
}

/** The higher one of each figure. */
function higher(a: Ceilings, b: Ceilings): Ceilings {
  const parts = {
    copyKernel: Math.max(a.parts.copyKernel, b.parts.copyKernel),
    copyCommand: Math.max(a.parts.copyCommand, b.parts.copyCommand),
    fma8Chains: Math.max(a.parts.fma8Chains, b.parts.fma8Chains),
    fma2Chains: Math.max(a.parts.fma2Chains, b.parts.fma2Chains),
  };
  return {
    bytesPerSecond: Math.max(parts.copyKernel, parts.copyCommand),
    flopsPerSecond: Math.max(parts.fma8Chains, parts.fma2Chains),
    parts,
  };
}

/** @throws InputError listing the kernels where none is left */
function select(cases: readonly BenchCase[], filter = ""): readonly BenchCase[] {
  const chosen = cases.filter(({ name, shape }) => `${name} ${shape}`.includes(filter));
  if (chosen.length > 0) return chosen;
  const names = [...new Set(cases.map(({ name }) => name))];
  throw new InputError(`No row's name and shape contain "${filter}". There are: ${names.join(", ")}`);
}
