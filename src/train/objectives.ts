/**
 * @file The one table of objectives: which reward parametrisations go with which loss, and under which names.
 *
 *     rewards x losses   logistic
 *     scalar             bt
 *     tilted             dpo (= bt)
 */
import { InputError } from "../errors.ts";
import { logistic } from "./losses/logistic.ts";
import type { PreferenceLoss } from "./losses/loss.ts";
import type { TrainOptions } from "./options.ts";
import type { RewardName, RewardParametrisation } from "./rewards/reward.ts";
import { scalar } from "./rewards/scalar.ts";
import { tilted } from "./rewards/tilted.ts";

const rewards: Readonly<Record<RewardName, RewardParametrisation>> = { scalar, tilted };

export const objectiveNames = ["bt", "dpo"] as const;
export type ObjectiveName = (typeof objectiveNames)[number];

interface Row {
  readonly loss: PreferenceLoss;
  /** Where none is named. */
  readonly reward: RewardName;
  /** Why the others are not defined; the rest are. */
  readonly refused: Partial<Readonly<Record<RewardName, string>>>;
}

const table: Readonly<Record<ObjectiveName, Row>> = {
  bt: { loss: logistic, reward: "scalar", refused: {} },
  dpo: {
    loss: logistic,
    reward: "tilted",
    refused: {
      scalar:
        "DPO's reward is a policy's log-ratio to a reference, β log(π/π_ref), and a scalar head by itself is no policy. Use --reward tilted, which reads the same head as one, or --objective bt",
    },
  },
};

/** The reward that an objective trains where --reward doesn't say. */
export function defaultReward(objective: ObjectiveName): RewardName {
  return table[objective].reward;
}

/** A cell of the table. */
export interface Objective {
  readonly loss: PreferenceLoss;
  readonly reward: RewardParametrisation;
}

type Chosen = Pick<TrainOptions, "objective" | "reward" | "centerRewardsCoefficient">;

/** @throws InputError saying why the options' combination is not defined */
export function findObjective({ objective, reward, centerRewardsCoefficient }: Chosen): Objective {
  const row = table[objective];
  const name = reward ?? row.reward;
  const reason = row.refused[name];
  if (reason !== undefined)
    throw new InputError(`--objective ${objective} with --reward ${name} is not defined: ${reason}`);
  const found = rewards[name];
  if (centerRewardsCoefficient > 0 && found.uncentered !== undefined) {
    throw new InputError(
      `--center-rewards-coefficient with --reward ${name} is not defined: ${found.uncentered}. Leave it out, or use --objective bt --reward scalar`,
    );
  }
  return { loss: row.loss, reward: found };
}
