/** @file Options of `train` that say what learns, from which loss, at which rate. */
import { type Command, Option } from "commander";
import { defaultReward, objectiveNames } from "../../../train/objectives.ts";
import {
  trainDefaults as d,
  headInits,
  implicitRates,
  trainableDefaults,
  trainables,
} from "../../../train/options.ts";
import { rewardNames } from "../../../train/rewards/reward.ts";
import { schedules } from "../../../train/schedule.ts";
import { nonNegative, positiveInteger, share, wholeNumber } from "../../options.ts";

export function addLearningOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--trainable <part>",
        "what learns. head: the reward head, on features of the frozen model; lora: low-rank updates of its linear layers, and the head; full: all weights",
      )
        .choices(trainables)
        .default(d.trainable),
    )
    .addOption(
      new Option(
        "--objective <name>",
        "what is made likely: a reward and a loss that go by one name. bt: reward model (Bradley-Terry); dpo: policy (Direct Preference Optimization); both are the logistic loss of a difference of rewards: `rmtrain equiv` shows it. simpo, cpo, orpo: the same without a reference; kto: single replies, each desirable or not; lm: texts, a language model",
      )
        .choices(objectiveNames)
        .default(d.objective),
    )
    .addOption(
      new Option(
        "--reward <form>",
        `what makes a reward. scalar: the head, r = w . h; tilted: β log(π/π_ref) of the policy π ∝ π_ref exp(w . h/β), of which pairs with one prompt see w . h; implicit: that of the language model itself (default: ${rewardsByObjective()})`,
      ).choices(rewardNames),
    )
    .option("--epochs <n>", `passes over the training records (${byTrainable("epochs")})`, nonNegative)
    .option("--max-steps <n>", "steps in all; overrides --epochs", positiveInteger)
    .option(
      "--batch-size <n>",
      "records of a batch; a whole model computes so many of them at once as --batch-tokens and the memory allow",
      positiveInteger,
      d.batchSize,
    )
    .option(
      "--gradient-accumulation-steps <n>",
      "batches whose gradients make one step",
      positiveInteger,
      d.gradientAccumulationSteps,
    )
    .option(
      "--lr <rate>",
      `peak learning rate (${byTrainable("lr")}; of implicit rewards ${shown(implicitRates.lora)} for lora, ${shown(implicitRates.full)} for full)`,
      nonNegative,
    )
    .option(
      "--head-lr <rate>",
      "peak learning rate of the reward head where more than the head learns (default: --lr)",
      nonNegative,
    )
    .option("--weight-decay <w>", "decoupled, as AdamW's", nonNegative, d.weightDecay)
    .option("--warmup-ratio <share>", "share of the steps over which the rate rises", share, d.warmupRatio)
    .option("--warmup-steps <n>", "overrides --warmup-ratio", wholeNumber)
    .addOption(
      new Option("--schedule <name>", "of the learning rate after the warm-up")
        .choices(schedules)
        .default(d.schedule),
    )
    .option(
      "--center-rewards-coefficient <c>",
      "adds c * mean((r_w + r_l)^2) to the loss",
      nonNegative,
      d.centerRewardsCoefficient,
    )
    .option("--max-grad-norm <norm>", "clips the global gradient norm; 0 is off", nonNegative, d.maxGradNorm)
    .option("--seed <n>", "of the split, the order and a new head", wholeNumber, d.seed)
    .option("--no-shuffle", "take the records in file order (default: shuffled each epoch)")
    .addOption(
      new Option(
        "--init-head <how>",
        "keep: the checkpoint's own head where it has one, else normal; normal: N(0, 1/(hidden_size+1)); zeros",
      )
        .choices(headInits)
        .default(d.initHead),
    );
}

/** Defaults that follow what learns, as --help says them. */
function byTrainable(name: "epochs" | "lr"): string {
  return `default: ${trainables.map((t) => `${shown(trainableDefaults[t][name])} for ${t}`).join(", ")}`;
}

const shown = (value: number) => (value < 1e-3 ? value.toExponential() : String(value));

/** "scalar for bt; implicit for dpo, ...", and where a lone head has another one. */
function rewardsByObjective(): string {
  const groups = rewardNames.flatMap((reward) => {
    const own = objectiveNames.filter((name) => defaultReward(name, "lora") === reward);
    return own.length === 0 ? [] : [`${reward} for ${own.join(", ")}`];
  });
  const heads = objectiveNames.flatMap((name) => {
    const reward = defaultReward(name, "head");
    return reward === defaultReward(name, "lora") ? [] : [`${reward} for ${name}`];
  });
  return `${groups.join("; ")}; with --trainable head ${heads.join(", ")}`;
}
