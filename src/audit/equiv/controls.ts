/** @file Negative controls: each breaks one thing that the equality rests on, and must fail the bound that claims keep. */
import type { Random } from "../../data/random.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { DifferenceObjective } from "../../train/objectives.ts";
import { dpoOnDevice, trainerOnDevice } from "./float32.ts";
import { allPairs, lossDifference } from "./float64.ts";
import { devicePairs, float64Bounds, lossShare } from "./independent.ts";
import type { ScoredReply } from "./language-model.ts";
import { type EquivRow, equivRow, largest } from "./row.ts";
import type { TiltedReply } from "./tilted-policy.ts";

const beta = 0.1;
const centering = 0.01;

/** The comparison on the device is not blind either: DPO's kernel without a reference. */
export async function deviceControl(
  gpu: Gpu,
  objective: DifferenceObjective,
  prompts: readonly (readonly TiltedReply[])[],
): Promise<EquivRow> {
  const pairs = devicePairs(prompts, beta);
  const ours = await trainerOnDevice(gpu, objective, pairs);
  const bare = pairs.map((pair) => ({
    ...pair,
    four: { ...pair.four, referenceChosen: 0, referenceRejected: 0 },
  }));
  const theirs = await dpoOnDevice(gpu, bare, beta);
  return equivRow(
    "control",
    "float32 on the device, no reference: DPO's loss = the trainer's, as a share of what float32 may do",
    lossShare(pairs, beta, ours, theirs),
    1,
  );
}

export function controls(
  scored: readonly (readonly ScoredReply[])[],
  prompts: readonly (readonly TiltedReply[])[],
  { loss }: DifferenceObjective,
  random: Random,
): EquivRow[] {
  const broken = (claim: string, change: Parameters<typeof lossDifference>[3]) =>
    equivRow("control", claim, lossDifference(prompts, loss, beta, change), float64Bounds.loss);
  const centred = (rewards: (x: number, k: number) => number) =>
    allPairs(prompts).map(({ x, w, l }) => {
      const [r, s] = [rewards(x, w), rewards(x, l)];
      return loss.ofPair(r - s, 1) + centering * (r + s) ** 2;
    });
  const constants = prompts.map(() => random.normal());
  const before = centred((x, k) => prompts[x]![k]!.reward);
  const after = centred((x, k) => prompts[x]![k]!.reward + constants[x]!);
  return [
    broken("no reference: DPO's loss with log π_ref = 0", (four) => ({
      ...four,
      referenceChosen: 0,
      referenceRejected: 0,
    })),
    broken("β wrong on one side: twice β on the rejected reply", (four) => ({
      ...four,
      policyRejected: 2 * four.policyRejected,
      referenceRejected: 2 * four.referenceRejected,
    })),
    broken("log-probabilities divided by the reply's tokens", (four, { x, w, l }) => {
      const [chosen, rejected] = [scored[x]![w]!.tokens, scored[x]![l]!.tokens];
      return {
        policyChosen: four.policyChosen / chosen,
        policyRejected: four.policyRejected / rejected,
        referenceChosen: four.referenceChosen / chosen,
        referenceRejected: four.referenceRejected / rejected,
      };
    }),
    equivRow(
      "control",
      `centering on (c = ${centering}): f(x) added to a prompt's rewards changes no loss`,
      largest(after.map((value, i) => Math.abs(value - before[i]!))),
      float64Bounds.loss,
    ),
  ];
}
