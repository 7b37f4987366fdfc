/** @file Measures as many cases as a time budget has room for, and says which it left out. */
import { OutOfMemoryError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Ceilings } from "../ceilings.ts";
import type { BenchCase } from "./cases.ts";
import { type BenchRow, measure } from "./measure.ts";
import { Estimates, priority } from "./plan.ts";

export interface LeftOut {
  readonly name: string;
  readonly shape: string;
  readonly reason: "time" | "memory";
  /** What it would have taken, by estimate. */
  readonly seconds: number;
}

export interface BenchRows {
  /** In the order of the cases. */
  readonly rows: readonly BenchRow[];
  readonly leftOut: readonly LeftOut[];
}

export interface RunOptions {
  /** When the last row has to stand, on the clock of `performance.now()`. Default: never. */
  readonly deadline?: number;
  /** Hears of each case before it runs. */
  readonly onCase?: (done: number, of: number, name: string) => void;
}

export async function measureAll(
  gpu: Gpu,
  cases: readonly BenchCase[],
  ceilings: Ceilings,
  { deadline = Number.POSITIVE_INFINITY, onCase = () => {} }: RunOptions = {},
): Promise<BenchRows> {
  const estimates = new Estimates(ceilings);
  const rows = new Map<BenchCase, BenchRow>();
  const leftOut = new Map<BenchCase, LeftOut>();
  const leave = (of: BenchCase, reason: LeftOut["reason"]) =>
    leftOut.set(of, { name: of.name, shape: of.shape, reason, seconds: estimates.row(of) });
  let done = 0;
  for (const benchCase of priority(cases, estimates)) {
    onCase(done++, cases.length, benchCase.name);
    if (performance.now() + estimates.row(benchCase) * 1e3 > deadline) leave(benchCase, "time");
    else if (!fits(gpu, benchCase)) leave(benchCase, "memory");
    else {
      const row = await measure(gpu, benchCase, ceilings);
      estimates.learn(row.name, row.share);
      rows.set(benchCase, row);
      // Buffers of one shape are of little use to the next.
      gpu.trim();
    }
  }
  const inOrder = <T>(of: ReadonlyMap<BenchCase, T>) => cases.flatMap((c) => of.get(c) ?? []);
  return { rows: inOrder(rows), leftOut: inOrder(leftOut) };
}

/** Whether the case's inputs and outputs fit the memory budget. Nothing is allocated to find out. */
function fits(gpu: Gpu, { prepare }: BenchCase): boolean {
  try {
    return gpu.rehearse(() => prepare(gpu)()).peak <= gpu.memoryBudget;
  } catch (error) {
    if (error instanceof OutOfMemoryError) return false;
    throw error;
  }
}
