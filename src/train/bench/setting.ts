/** @file What a benchmark's figures depend on, to stand beside them. */
import { cpus, release, totalmem } from "node:os";
import { formatBytes } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { versions } from "../versions.ts";

export interface BenchSetting {
  /** And its precision class, where that is not f32. */
  readonly adapter: string;
  /** Processors, memory, system. */
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** "YYYY-MM-DD" */
  readonly date: string;
}

export function benchSetting(gpu: Gpu): BenchSetting {
  const { description, device, vendor, precision } = gpu.facts;
  const processors = cpus();
  const model = processors[0]?.model.trim() || process.arch;
  return {
    adapter: `${description || device || vendor}${precision === "f32" ? "" : `, precision ${precision}`}`,
    machine: `${processors.length} x ${model}, ${formatBytes(totalmem())}, ${process.platform} ${release()}`,
    versions: versions(),
    date: new Date().toISOString().slice(0, 10),
  };
}
