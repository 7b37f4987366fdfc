/**
 * @file The one table of objectives: every loss takes rewards and knows nothing of where they came from, every reward
 * parametrisation knows nothing of the loss. An objective's name stands for one cell (its reward and its loss); --reward
 * and --loss move to another. `rmtrain objectives` prints which cells are defined, and why the others are not.
 */
import { InputError } from "../errors.ts";
import { refusedTogether } from "./combinations.ts";
import {
  type DifferenceLoss,
  defaultConstants,
  isDifferenceLoss,
  type LossConstants,
  type LossName,
  type PairLoss,
  type PreferenceLoss,
} from "./losses/loss.ts";
import { findLoss, losses } from "./losses/table.ts";
import type { TrainOptions } from "./options.ts";
import { type ImplicitForm, type ImplicitFormName, implicitForms } from "./rewards/implicit-form.ts";
import {
  type HeadReward,
  isHeadReward,
  type RewardName,
  type RewardParametrisation,
} from "./rewards/reward.ts";
import { scalar } from "./rewards/scalar.ts";
import { tilted } from "./rewards/tilted.ts";

export const rewards: Readonly<Record<RewardName, RewardParametrisation>> = {
  scalar,
  tilted,
  implicit: { name: "implicit", notes: () => [] },
};

export const objectiveNames = ["bt", "dpo", "simpo", "cpo", "orpo", "kto", "lm", "cringe"] as const;
export type ObjectiveName = (typeof objectiveNames)[number];

export interface ObjectiveCell {
  readonly loss: LossName;
  /** Where none is named: for a lone head, and where more learns. */
  readonly reward: { readonly head: RewardName; readonly model: RewardName };
  /** Of the implicit reward. */
  readonly form: ImplicitFormName;
  /** Why other rewards are not what its name says. */
  readonly refused: Partial<Readonly<Record<RewardName, string>>>;
}

const policy = (name: string) =>
  `${name}'s reward is made of a policy's log-probabilities, and only --reward implicit has them`;

const ofPolicy = (form: ImplicitFormName, name: string): ObjectiveCell => ({
  loss: "logistic",
  reward: { head: "implicit", model: "implicit" },
  form,
  refused: { scalar: policy(name), tilted: policy(name) },
});

export const objectives: Readonly<Record<ObjectiveName, ObjectiveCell>> = {
  bt: { loss: "logistic", reward: { head: "scalar", model: "scalar" }, form: "dpo", refused: {} },
  dpo: {
    loss: "logistic",
    reward: { head: "tilted", model: "implicit" },
    form: "dpo",
    refused: {
      scalar:
        "DPO's reward is a policy's log-ratio to a reference, β log(π/π_ref), and a scalar head by itself is no policy. Use --reward tilted, which reads the same head as one, or --objective bt",
    },
  },
  simpo: ofPolicy("simpo", "SimPO"),
  cpo: ofPolicy("cpo", "CPO"),
  orpo: ofPolicy("orpo", "ORPO"),
  cringe: {
    loss: "cringe",
    reward: { head: "implicit", model: "implicit" },
    form: "cringe",
    refused: { scalar: policy("CRINGE"), tilted: policy("CRINGE") },
  },
  lm: {
    loss: "nll",
    reward: { head: "implicit", model: "implicit" },
    form: "lm",
    refused: { scalar: policy("lm"), tilted: policy("lm") },
  },
  kto: { loss: "kto", reward: { head: "scalar", model: "implicit" }, form: "dpo", refused: {} },
};

/** A lone head, or more. */
type Learning = "head" | "lora" | "full";

/** The reward that an objective trains where --reward doesn't say. */
export function defaultReward(objective: ObjectiveName, trainable: Learning = "head"): RewardName {
  return objectives[objective].reward[trainable === "head" ? "head" : "model"];
}

/** A cell of the table, with its numbers. */
export interface Objective {
  readonly loss: PreferenceLoss;
  readonly reward: RewardParametrisation;
  readonly constants: LossConstants;
  /** Of an implicit reward, with β, γ and α as this run has them. */
  readonly form: ImplicitForm | undefined;
  /** γ: what chosen rewards must be ahead by, on top of each pair's own margin. */
  readonly margin: number;
}

type Chosen = Pick<TrainOptions, "objective" | "reward" | "centerRewardsCoefficient"> &
  Partial<
    Pick<
      TrainOptions,
      | "loss"
      | "form"
      | "beta"
      | "reference"
      | "gamma"
      | "nllWeight"
      | "labelSmoothing"
      | "discopopTau"
      | "desirableWeight"
      | "undesirableWeight"
      | "cringeWeight"
      | "cringeMargin"
      | "cringeTemperature"
      | "cringeK"
    >
  > & { readonly trainable?: Learning };

export type { Chosen as ObjectiveOptions };

/** Losses that go with one form of the implicit reward alone. */
const formsOfLosses: Partial<Readonly<Record<LossName, ImplicitFormName>>> = { nll: "lm", cringe: "cringe" };

/** @throws InputError saying why the options' combination is not defined */
export function findObjective(options: Chosen): Objective {
  const { objective, trainable = "head" } = options;
  const cell = objectives[objective];
  const name = options.reward ?? defaultReward(objective, trainable);
  const reason = cell.refused[name];
  if (reason !== undefined)
    throw new InputError(`--objective ${objective} with --reward ${name} is not defined: ${reason}`);
  const loss = options.loss === undefined ? losses[cell.loss] : namedLoss(options.loss);
  const reward = rewards[name];
  const form =
    name === "implicit"
      ? chosenForm(options, implicitForms[options.form ?? formsOfLosses[loss.name] ?? cell.form])
      : undefined;
  const refused = refusedTogether({ loss, reward, form, options });
  if (refused !== undefined) throw new InputError(refused);
  return {
    loss,
    reward,
    constants: constantsOf(options, loss, form),
    form,
    margin: form?.gamma ?? 0,
  };
}

function chosenForm({ beta, gamma, nllWeight }: Chosen, form: ImplicitForm): ImplicitForm {
  return { ...form, beta: beta ?? form.beta, gamma: gamma ?? form.gamma, nll: nllWeight ?? form.nll };
}

/** What other systems call a loss and is a reward with a loss here. */
const notLosses: Readonly<Record<string, string>> = {
  sigmoid_norm: "it is --loss logistic on the reward --form norm",
  ipo_norm: "it is --loss ipo on the reward --form norm",
  simpo: "it is --objective simpo: the logistic loss on another reward",
  cpo: "it is --objective cpo: the logistic loss on another reward",
  orpo: "it is --objective orpo: the logistic loss on another reward",
  dpo: "it is --objective dpo, whose loss is logistic",
};

/** @throws InputError where there is no such loss */
export function namedLoss(name: string): PreferenceLoss {
  const loss = findLoss(name);
  if (loss !== undefined) return loss;
  const instead = Object.hasOwn(notLosses, name)
    ? notLosses[name]
    : "there is no such loss; `rmtrain objectives` lists them";
  throw new InputError(`--loss ${name}: ${instead}`);
}

function constantsOf(options: Chosen, loss: PreferenceLoss, form: ImplicitForm | undefined): LossConstants {
  return {
    beta: form?.weighsLoss ? 1 : (form?.beta ?? options.beta ?? defaultConstants.beta),
    labelSmoothing: options.labelSmoothing ?? loss.leastSmoothing ?? defaultConstants.labelSmoothing,
    discopopTau: options.discopopTau ?? defaultConstants.discopopTau,
    desirableWeight: options.desirableWeight ?? defaultConstants.desirableWeight,
    undesirableWeight: options.undesirableWeight ?? defaultConstants.undesirableWeight,
    cringeWeight: options.cringeWeight ?? defaultConstants.cringeWeight,
    cringeMargin: options.cringeMargin ?? defaultConstants.cringeMargin,
    cringeTemperature: options.cringeTemperature ?? defaultConstants.cringeTemperature,
  };
}

/** A loss of pairs. */
export interface PairObjective extends Objective {
  readonly loss: PairLoss;
}

/** @throws InputError where the loss takes other records than pairs */
export function pairObjective(options: Chosen): PairObjective {
  const found = findObjective(options);
  const { loss } = found;
  if (loss.kind !== "pairs") throw new InputError(`--loss ${loss.name} takes ${loss.kind}, not pairs`);
  return { ...found, loss };
}

/** A reward that a lone head makes. */
export interface HeadObjective extends Objective {
  readonly reward: HeadReward;
}

/** @throws InputError where the reward needs more than a head */
export function headObjective(options: Chosen): HeadObjective {
  const found = findObjective(options);
  const { reward } = found;
  if (!isHeadReward(reward))
    throw new InputError(`--reward ${reward.name} takes more than the head: --trainable lora or full`);
  return { ...found, reward };
}

/** The same with a loss of pairs that sees differences of rewards alone. */
export interface DifferenceObjective extends HeadObjective {
  readonly loss: DifferenceLoss;
}

/** @throws Error where the loss sees more than differences of pairs */
export function differenceObjective(options: Chosen): DifferenceObjective {
  const found = headObjective(options);
  const { loss } = found;
  if (!isDifferenceLoss(loss)) throw new Error(`the loss ${loss.name} sees more than differences of rewards`);
  return { ...found, loss };
}
