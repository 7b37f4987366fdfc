/** @file `rmtrain doctor`: what the adapter is, whether it computes rightly, and how fast. */
import type { Command } from "commander";
import { type Diagnosis, diagnose } from "../audit/doctor.ts";
import { formatBytes } from "../gpu/errors.ts";
import { openGpu } from "../kernels/open.ts";
import { memoryBudgetOption } from "./options.ts";

interface Flags {
  readonly json?: true;
  readonly memoryBudget: number;
}

export function register(program: Command): void {
  program
    .command("doctor")
    .description("describe the WebGPU adapter, check it, measure it; exit code 1 where a check fails")
    .option("--json", "print JSON (default: a table)")
    .addOption(memoryBudgetOption())
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  using gpu = await openGpu({ memoryBudget: flags.memoryBudget });
  const diagnosis = await diagnose(gpu);
  process.stdout.write(flags.json ? `${JSON.stringify(diagnosis, null, 2)}\n` : table(diagnosis));
  if (diagnosis.checks.some((check) => !check.ok)) process.exitCode = 1;
}

function table(diagnosis: Diagnosis): string {
  const { adapter, features, subgroups, limits, variants, f16, checks, ceilings, advice } = diagnosis;
  const rows: [string, string][] = [
    [
      "adapter",
      `${adapter.description || adapter.device || adapter.vendor}${adapter.software ? " (CPU)" : ""}`,
    ],
    ["vendor", [adapter.vendor, adapter.architecture].filter(Boolean).join(", ")],
    ["features", features.join(", ") || "none"],
    ["subgroups", subgroups.max === 0 ? "none" : `${subgroups.min} to ${subgroups.max} lanes`],
    ["largest binding", formatBytes(limits.maxBinding)],
    ["largest buffer", formatBytes(limits.maxBuffer)],
    [
      "workgroups",
      `${limits.maxWorkgroups} per dimension, ${limits.maxInvocations} invocations each, ${formatBytes(limits.workgroupStorage)} shared`,
    ],
    ["variants", `${variants.inUse}; table of measured choices: ${variants.table}`],
    ["precision f16", f16.detail],
    ["copy", `${(ceilings.bytesPerSecond / 1e9).toFixed(1)} GB/s`],
    ["fma", `${(ceilings.flopsPerSecond / 1e9).toFixed(1)} GFLOP/s`],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(16)} ${value}`);
  const verdicts = checks.map((c) => `${c.ok ? "ok    " : "FAILED"} ${c.name}: ${c.detail}`);
  const hints = advice.map((line) => `note   ${line}`);
  return `${[...lines, "", ...verdicts, ...hints].join("\n")}\n`;
}
