/** @file Why a loss, a reward and their options don't go together: one sentence each, or nothing. */
import type { LossConstants, PreferenceLoss } from "./losses/loss.ts";
import type { ObjectiveOptions } from "./objectives.ts";
import type { ImplicitForm } from "./rewards/implicit-form.ts";
import type { RewardParametrisation } from "./rewards/reward.ts";

/** A loss and a reward, whatever the options. @returns why they are not defined together */
export function refusedCell(
  loss: PreferenceLoss,
  reward: RewardParametrisation,
  form: ImplicitForm | undefined,
): string | undefined {
  if (loss.kind === "texts" && (reward.name !== "implicit" || (form !== undefined && form.name !== "lm")))
    return `--loss ${loss.name} with --reward ${reward.name}${form === undefined ? "" : ` --form ${form.name}`} is not defined: it is the likelihood of texts themselves. Use --objective lm`;
  if (form?.name === "lm" && loss.kind !== "texts")
    return `--loss ${loss.name} with --form lm is not defined: that form has no reference and no β, and takes texts. Use --form cpo with --nll-weight 0 for rewards without a reference`;
  if (
    loss.name === "cringe" &&
    (reward.name !== "implicit" || (form !== undefined && form.name !== "cringe"))
  )
    return `--loss cringe with --reward ${reward.name}${form === undefined ? "" : ` --form ${form.name}`} is not defined: it penalises single tokens of a policy. Use --objective cringe`;
  if (form?.name === "cringe" && loss.name !== "cringe")
    return `--loss ${loss.name} with --form cringe is not defined: that form stands for penalties of tokens, which only the loss cringe reads`;
  if (reward.relative !== undefined && !loss.differences)
    return `--loss ${loss.name} with --reward ${reward.name} is not defined: ${reward.relative}, and ${loss.name} sees more than differences of one prompt's rewards`;
  if (form === undefined) return undefined;
  if (form.gamma > 0 && !(loss.kind === "pairs" && loss.differences))
    return `--loss ${loss.name} with γ ${form.gamma} (--form ${form.name}) is not defined: γ is what a pair's chosen reward is ahead by, and ${loss.name} takes no margin. --gamma 0 leaves it out`;
  if (form.nll > 0 && loss.kind !== "pairs")
    return `--loss ${loss.name} with α ${form.nll} (--form ${form.name}) is not defined: the likelihood term is of a pair's chosen reply, and ${loss.name} takes ${loss.kind}. --nll-weight 0 leaves it out`;
  return undefined;
}

/** Everything that was chosen. */
export interface Chosen {
  readonly loss: PreferenceLoss;
  readonly reward: RewardParametrisation;
  readonly form: ImplicitForm | undefined;
  readonly options: ObjectiveOptions;
}

/** @returns the first reason why it is not defined, as a message; undefined where it is */
export function refusedTogether(chosen: Chosen): string | undefined {
  const { loss, reward, form } = chosen;
  return (
    refusedByTrainable(chosen) ??
    refusedCentering(chosen) ??
    refusedCell(loss, reward, form) ??
    refusedNumbers(chosen) ??
    refusedFormOptions(chosen)
  );
}

function refusedByTrainable({ reward, options }: Chosen): string | undefined {
  if (reward.name !== "implicit" || (options.trainable ?? "head") !== "head") return undefined;
  return "--reward implicit with --trainable head is not defined: the reward is a language model's log-probability of the reply, and a reward head has no part in it. Use --trainable lora or full, or --reward tilted, which reads the head as a policy";
}

function refusedCentering({ loss, reward, options }: Chosen): string | undefined {
  if (options.centerRewardsCoefficient <= 0) return undefined;
  const name = "--center-rewards-coefficient";
  if (reward.relative !== undefined)
    return `${name} with --reward ${reward.name} is not defined: ${reward.relative}, and centering is a demand on that constant. Leave it out, or use --objective bt --reward scalar`;
  if (loss.kind !== "pairs")
    return `${name} with --loss ${loss.name} is not defined: it is of both rewards of a pair, and ${loss.name} takes ${loss.kind}`;
  return undefined;
}

const flags: Readonly<Record<keyof LossConstants, string>> = {
  beta: "--beta",
  labelSmoothing: "--label-smoothing",
  discopopTau: "--discopop-tau",
  desirableWeight: "--desirable-weight",
  undesirableWeight: "--undesirable-weight",
  cringeWeight: "--cringe-weight",
  cringeMargin: "--cringe-margin",
  cringeTemperature: "--cringe-temperature",
};

/** Numbers that nobody would read. */
function refusedNumbers({ loss, form, options }: Chosen): string | undefined {
  for (const [name, flag] of Object.entries(flags) as [keyof LossConstants, string][]) {
    const value = options[name];
    const read = loss.reads.includes(name) || (name === "beta" && form !== undefined);
    if (value === undefined || read || (name === "labelSmoothing" && value === 0)) continue;
    return `${flag} with --loss ${loss.name} is not defined: ${unread(name, loss)}`;
  }
  const { labelSmoothing } = options;
  if (loss.leastSmoothing !== undefined && labelSmoothing === 0)
    return `--label-smoothing 0 with --loss ${loss.name} is not defined: its formula takes log ε. Leave it out for ${loss.leastSmoothing}`;
  return undefined;
}

function unread(name: keyof LossConstants, loss: PreferenceLoss): string {
  if (name === "beta")
    return "a reward head has no β (it is 1), and this loss has no scale of its own; --reward implicit has";
  if (name === "labelSmoothing" && loss.kind === "pairs")
    return "its paper smooths no labels; records may say how sure they are themselves (their field label)";
  return `${loss.name} doesn't read it`;
}

function refusedFormOptions({ reward, form, options }: Chosen): string | undefined {
  if (options.cringeK !== undefined && form?.name !== "cringe")
    return `--cringe-k with --reward ${reward.name} is not defined: only --objective cringe draws words`;
  if (options.beta !== undefined && (form?.name === "cringe" || form?.name === "lm"))
    return `--beta with --form ${form.name} is not defined: it is of log-probabilities as they are`;
  if (form?.reference === false && options.reference !== undefined)
    return `--reference with --form ${form.name} is not defined: this reward is made of the policy's log-probabilities alone`;
  if (form !== undefined) return undefined;
  const given = Object.entries({
    "--form": options.form,
    "--reference": options.reference,
    "--gamma": options.gamma,
    "--nll-weight": options.nllWeight,
  });
  const [flag] = given.find(([, value]) => value !== undefined) ?? [];
  return (
    flag && `${flag} with --reward ${reward.name} is not defined: it is a property of the implicit reward`
  );
}
