/** @file Reports of the benchmark that nothing was measured for. */
import { type BenchReport, reportFormat } from "../../../src/cli/bench/report.ts";
import { rowOf } from "../../../src/kernels/bench/measure.ts";

const ceilings = {
  flopsPerSecond: 100e9,
  bytesPerSecond: 10e9,
  parts: { fma8Chains: 90e9, fma2Chains: 100e9, copyKernel: 4e9, copyCommand: 10e9 },
};

export function row(name: string, shape: string, seconds: number, flops = 1e9, bytes = 1e6, chosen = true) {
  const times = [seconds * 0.95, seconds, seconds * 1.05];
  return rowOf({ name, shape, flops, bytes }, ceilings, {
    times,
    source: "timestamp",
    first: seconds + 0.5,
    chosen,
  });
}

export function report(rows: BenchReport["rows"], changes: Partial<BenchReport> = {}): BenchReport {
  const micro = 1e-6;
  return {
    format: reportFormat,
    adapter: "an adapter",
    machine: "2 x a processor",
    precision: "f32",
    versions: { rmtrain: "0.1.0", node: "20.0.0" },
    date: "2026-01-02",
    ceilings,
    overheads: {
      submitAndWait: 70 * micro,
      dispatch: 20 * micro,
      record: 3 * micro,
      recordNewGroup: 14 * micro,
      submit: 26 * micro,
      read4KiB: 84 * micro,
      read1MiB: 104 * micro,
      read16MiB: 1370 * micro,
      write16MiB: 1770 * micro,
    },
    rows,
    leftOut: [],
    seconds: 12,
    ...changes,
  };
}
