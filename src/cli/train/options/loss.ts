/** @file Options of `train` that choose the loss of the rewards, the form of implicit ones, and their numbers. */
import { type Command, Option } from "commander";
import { defaultConstants, lossNames } from "../../../train/losses/loss.ts";
import { namedLoss } from "../../../train/objectives.ts";
import { defaultK } from "../../../train/rewards/implicit.ts";
import { implicitFormNames, implicitForms } from "../../../train/rewards/implicit-form.ts";
import { between, nonNegative, positive, positiveInteger } from "../../options.ts";

/** "0.1 for dpo, norm; 2 for simpo" */
function byForm(value: "beta" | "gamma" | "nll"): string {
  const forms = implicitFormNames.map((name) => implicitForms[name]);
  const values = [...new Set(forms.map((form) => form[value]))];
  const named = (v: number) => forms.flatMap((form) => (form[value] === v ? [form.name] : [])).join(", ");
  return values.map((v) => `${v} for ${named(v)}`).join("; ");
}

export function addLossOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--loss <name>",
        `of the rewards: ${lossNames.join(", ")}, or another system's name for one (default: the objective's; \`rmtrain objectives\` shows all)`,
      ).argParser(lossName),
    )
    .addOption(
      new Option(
        "--form <name>",
        "of the implicit reward: dpo: against a reference; norm: that per token; simpo: per token without one; cpo: without one; orpo: log-odds (default: the objective's)",
      ).choices(implicitFormNames),
    )
    .option("--reference <dir>", "model that implicit rewards are against (default: the base itself)")
    .option("--beta <β>", `of the implicit reward (default: ${byForm("beta")})`, positive)
    .option(
      "--gamma <γ>",
      `what implicit rewards of chosen replies must be ahead by (default: ${byForm("gamma")})`,
      nonNegative,
    )
    .option(
      "--nll-weight <α>",
      `adds α times the chosen reply's negative log-likelihood per token (default: ${byForm("nll")})`,
      nonNegative,
    )
    .option(
      "--label-smoothing <ε>",
      "share of labels that are wrong: logistic (cDPO), robust, exo (default: 0; 0.001 for exo)",
      between(0, 0.5, "from 0 up to 0.5"),
    )
    .option(
      "--discopop-tau <τ>",
      `temperature of discopop, above 0 up to 1 (default: ${defaultConstants.discopopTau})`,
      positive,
    )
    .option(
      "--desirable-weight <λ>",
      `of kto's desirable replies (default: ${defaultConstants.desirableWeight})`,
      positive,
    )
    .option(
      "--undesirable-weight <λ>",
      `of kto's undesirable replies (default: ${defaultConstants.undesirableWeight})`,
      positive,
    )
    .option(
      "--cringe-weight <α>",
      `of cringe's penalty of rejected tokens (default: ${defaultConstants.cringeWeight})`,
      nonNegative,
    )
    .option(
      "--cringe-margin <b>",
      `nats that a chosen reply must be ahead by before cringe lets its pair go (default: ${defaultConstants.cringeMargin})`,
      Number,
    )
    .option(
      "--cringe-temperature <τ>",
      `how softly cringe lets go, above 0 (default: ${defaultConstants.cringeTemperature})`,
      positive,
    )
    .option(
      "--cringe-k <n>",
      `likeliest words that cringe draws a rejected token's rival from (default: ${defaultK})`,
      positiveInteger,
    );
}

function lossName(name: string): string {
  namedLoss(name);
  return name;
}
