/** @file `rmtrain bench --compile`: how long each pipeline takes to build where no driver has kept it. */
import { InputError } from "../../errors.ts";
import { variantKey } from "../../gpu/kernel-source.ts";
import type { Precision } from "../../gpu/precision.ts";
import { type Build, measureBuild } from "../../kernels/bench/builds.ts";
import { canBuild, catalogue } from "../../kernels/catalogue.ts";
import { openGpu } from "../../kernels/open.ts";
import { type BenchSetting, benchSetting } from "../../train/bench/setting.ts";
import { Progress } from "../progress.ts";
import { markdownTable } from "./markdown.ts";

export interface CompileFlags {
  readonly json?: true;
  readonly filter?: string;
  readonly memoryBudget: number;
  readonly precision: Precision;
}

export interface BuildReport extends BenchSetting {
  readonly builds: readonly Build[];
  /** Pipelines that this adapter can't run. */
  readonly leftOut: readonly string[];
}

export async function benchCompile(flags: CompileFlags): Promise<void> {
  const chosen = catalogue.filter(({ kernel, variant }) =>
    variantKey(kernel, variant).includes(flags.filter ?? ""),
  );
  if (chosen.length === 0) {
    const names = [...new Set(catalogue.map(({ kernel }) => kernel.name))];
    throw new InputError(`No pipeline's name contains "${flags.filter}". Kernels: ${names.join(", ")}`);
  }
  keepNoPipelines();
  const report = await build(chosen, flags);
  process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : buildText(report));
}

/** Has to come before a driver is loaded; Mesa's and NVIDIA's obey. */
function keepNoPipelines(): void {
  process.env.MESA_SHADER_CACHE_DISABLE = "true";
  process.env.__GL_SHADER_DISK_CACHE = "0";
}

async function build(
  chosen: typeof catalogue,
  { memoryBudget, precision }: CompileFlags,
): Promise<BuildReport> {
  using gpu = await openGpu({ memoryBudget, precision });
  const progress = new Progress(process.stderr);
  try {
    const builds: Build[] = [];
    const runnable = chosen.filter((entry) => canBuild(gpu, entry));
    for (const [i, entry] of runnable.entries()) {
      const { name } = entry.kernel;
      progress.update("pipelines", i, runnable.length, name, `${i} of ${runnable.length} pipelines: ${name}`);
      builds.push(await measureBuild(gpu, entry));
    }
    const others = chosen.filter((entry) => !runnable.includes(entry));
    const leftOut = others.map(({ kernel, variant }) => variantKey(kernel, variant));
    return { ...benchSetting(gpu), builds, leftOut };
  } finally {
    progress.stop();
  }
}

const total = ({ pipelineSeconds, dispatchSeconds }: Build) => pipelineSeconds + dispatchSeconds;

/** The slowest first. */
export function buildText({ adapter, machine, versions, date, builds, leftOut }: BuildReport): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const sum = builds.reduce((seconds, build) => seconds + total(build), 0);
  const milli = (seconds: number) => (seconds * 1e3).toFixed(0);
  const rows = [...builds]
    .sort((a, b) => total(b) - total(a))
    .map((b) => [b.pipeline, milli(b.pipelineSeconds), milli(b.dispatchSeconds), milli(total(b))]);
  const lines = [
    `Pipelines: ${builds.length} built one after the other, with nothing kept from before, in ${sum.toFixed(1)} s\n`,
    `${adapter}; ${machine}; ${named.join(", ")}; ${date}\n`,
    markdownTable(["pipeline", "ms until WebGPU has it#", "ms of the first dispatch#", "both#"], rows),
  ];
  if (leftOut.length > 0)
    lines.push(`Pipelines that this adapter can't run: ${countsByKernel(leftOut)}. All by name: --json.\n`);
  return lines.join("\n");
}

/** "2 of a, 1 of b", from names that begin with the kernel's. */
function countsByKernel(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) {
    const [kernel = name] = name.split(" ");
    counts.set(kernel, (counts.get(kernel) ?? 0) + 1);
  }
  return [...counts].map(([kernel, count]) => `${count} of ${kernel}`).join(", ");
}
