/** @file `rmtrain tune`: finds each kernel's fastest variant on this device, once, for the shapes of a model. */
import type { Command } from "commander";
import { InputError } from "../errors.ts";
import { variantsFromEnvironment, variantsVariable } from "../gpu/variants.ts";
import { openGpu } from "../kernels/open.ts";
import { targetName } from "../kernels/tuning/table.ts";
import type { Tuned } from "../kernels/tuning/tune.ts";
import { openModelFolder } from "../model/model-folder.ts";
import type { TunedModel } from "../model/tuning/targets.ts";
import { tuneModels } from "../model/tuning/tune-models.ts";
import { usualModels } from "../model/tuning/usual-models.ts";
import { memoryBudgetOption, several } from "./options.ts";
import { Progress } from "./progress.ts";

interface Flags {
  readonly model?: string | readonly string[];
  readonly force?: true;
  readonly memoryBudget: number;
}

export function register(program: Command): void {
  program
    .command("tune")
    .description("measure which kernels are fastest on this device, and keep that for later runs")
    .option(
      "--model <dir>",
      "for the shapes of this model; may be given again (default: those of models in common use)",
      several,
    )
    .option("--force", "measure again what was measured before")
    .addOption(memoryBudgetOption())
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  if (variantsFromEnvironment().size > 0)
    throw new InputError(`${variantsVariable} forces variants: unset it, so that they can be compared`);
  const given = await Promise.all([flags.model ?? []].flat().map(modelOf));
  using gpu = await openGpu({ memoryBudget: flags.memoryBudget, tuning: "none" });
  const models = given.length > 0 ? given : usualModels(gpu.facts.software);
  const progress = new Progress(process.stderr);
  const result = await tuneModels(gpu, models, {
    force: flags.force ?? false,
    found(tuned, done, total) {
      const count = `${done} of ${total} shapes`;
      progress.update("Tuning", done, total, count, `Tuning: ${count}`);
      for (const [name, problem] of tuned.wrong)
        progress.note(`${targetName(tuned.entry)}: ${name} is not used on this device: ${problem}`);
      if (tuned.entry.variant !== null) process.stdout.write(`${lineOf(tuned)}\n`);
    },
  });
  progress.stop();
  const { targets, measured, chosen, file } = result;
  process.stdout.write(
    `${targets} shapes, ${measured} of them measured now: ${chosen} run another variant than the default one from now on (${file})\n`,
  );
}

/** What a choice saves. */
function lineOf({ entry, costs }: Tuned): string {
  const { median = Number.NaN } = costs.get(entry.variant ?? "") ?? {};
  return `${targetName(entry)}: ${entry.variant}, ${(1 / median).toFixed(2)} times as fast as the default`;
}

async function modelOf(dir: string): Promise<TunedModel> {
  await using folder = await openModelFolder(dir);
  const stored = [...folder.checkpoint.tensors.values()].map(({ dtype }) => dtype.toLowerCase());
  const dtypes = (["f32", "f16", "bf16"] as const).filter((dtype) => stored.includes(dtype));
  return { config: folder.config, dtypes };
}
