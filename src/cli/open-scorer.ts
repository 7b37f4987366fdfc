/** @file Which rewards `score`, `trace` and `eval` compute: those of a head, or of a policy's log-probabilities. */
import { type Command, Option } from "commander";
import { ImplicitModel } from "../audit/implicit-model.ts";
import { RewardModel } from "../audit/reward-model.ts";
import type { Scorer } from "../audit/scorer.ts";
import { InputError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { WarmUpProgress } from "../gpu/warm-up.ts";
import { type ImplicitFormName, implicitFormNames } from "../train/rewards/implicit-form.ts";
import { compilingLine } from "./compiling.ts";
import { positive } from "./options.ts";
import { type HeadFlags, loadOptions } from "./score.ts";

export interface RewardFlags extends HeadFlags {
  readonly reward: "scalar" | "implicit";
  readonly reference?: string;
  readonly beta?: number;
  readonly form?: ImplicitFormName;
}

export function addRewardOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--reward <name>",
        "scalar: the reward head's; implicit: β (log π - log π_ref) of the reply under a language model and its reference",
      )
        .choices(["scalar", "implicit"])
        .default("scalar"),
    )
    .option(
      "--reference <dir>",
      "of --reward implicit: the model that log-probabilities are compared with (default: with --adapter its base, --model)",
    )
    .option("--beta <β>", "of --reward implicit (default: the checkpoint's, else its form's)", positive)
    .addOption(
      new Option(
        "--form <name>",
        "of --reward implicit; dpo: the sum over the reply's tokens; norm: their mean; simpo, cpo, orpo: without a reference (default: the checkpoint's, else dpo)",
      ).choices(implicitFormNames.filter((name) => name !== "lm" && name !== "cringe")),
    );
}

/**
 * @param onCompiled is told of kernels that the driver compiles
 * @throws InputError where a flag belongs to another reward
 */
export async function openScorer(
  gpu: Gpu,
  flags: RewardFlags,
  onCompiled: WarmUpProgress = compilingLine(),
): Promise<Scorer> {
  const { reward, reference, beta, form } = flags;
  const { initHead, seed, ...options } = { ...loadOptions(flags), onCompiled };
  if (reward === "implicit") {
    if (initHead !== undefined)
      throw new InputError("--init-head is of a reward head, and --reward implicit has none");
    return ImplicitModel.load(gpu, flags.model, { ...options, reference, beta, form });
  }
  const given = Object.entries({ "--reference": reference, "--beta": beta, "--form": form });
  const [flag] = given.find(([, value]) => value !== undefined) ?? [];
  if (flag !== undefined) throw new InputError(`${flag} goes with --reward implicit`);
  return RewardModel.load(gpu, flags.model, { ...loadOptions(flags), onCompiled });
}
