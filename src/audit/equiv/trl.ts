/** @file TRL's own DPO losses and gradients beside the trainer's loss of implicit rewards: numbers made elsewhere. */
import type { Gpu } from "../../gpu/gpu.ts";
import type { DifferenceObjective } from "../../train/objectives.ts";
import { dpoLoss } from "./dpo-paper.ts";
import { trainerOnDevice } from "./float32.ts";
import { float64Bounds } from "./independent.ts";
import { type EquivRow, equivRow, largest } from "./row.ts";
import { trlBetas, trlPairs } from "./trl-table.ts";

/** What a float32 loss of the table's size may be off by, relative to 1 + |loss| (see test/goldens/README.md). */
const float32Bound = 5e-6;

interface Away {
  readonly loss: number;
  readonly gradient: number;
  readonly paper: number;
  readonly float32: number;
}

export async function trlRows(gpu: Gpu, objective: DifferenceObjective): Promise<EquivRow[]> {
  const away = await differences(gpu, objective);
  const row = (claim: string, what: keyof Away, bound: number) =>
    equivRow(
      "independent",
      `TRL's table, ${claim}`,
      largest(away.map((d) => d[what])),
      bound,
      `${trlPairs.length} pairs, β in {${trlBetas.join(", ")}}`,
    );
  return [
    row("float64: TRL's DPO loss = the trainer's of β log(π/π_ref)", "loss", float64Bounds.loss),
    row("float64: TRL's gradients in both log-probabilities = the trainer's", "gradient", float64Bounds.loss),
    row("float64: TRL's DPO loss = the formula written here from the paper", "paper", float64Bounds.loss),
    row(
      "float32 on the device: TRL's DPO loss = the trainer's, relative to 1 + loss",
      "float32",
      float32Bound,
    ),
  ];
}

async function differences(gpu: Gpu, objective: DifferenceObjective): Promise<Away[]> {
  const { loss } = objective;
  const away: Away[] = [];
  const none = [new Float32Array(1), new Float32Array(1)] as const;
  for (const [b, beta] of trlBetas.entries()) {
    // β log(π/π_ref) of both replies.
    const pairs = trlPairs.map((four) => ({
      rewards: [
        beta * (four.policyChosen - four.referenceChosen),
        beta * (four.policyRejected - four.referenceRejected),
      ] as const,
      features: none,
      four,
      scores: none,
    }));
    const device = await trainerOnDevice(gpu, objective, pairs);
    for (const [i, { four, rewards }] of pairs.entries()) {
      const trl = four.results[b]!;
      const d = rewards[0] - rewards[1];
      const slope = beta * loss.slope(d, 1);
      away.push({
        loss: Math.abs(loss.ofPair(d, 1) - trl.loss),
        gradient: Math.max(Math.abs(slope - trl.gradChosen), Math.abs(slope + trl.gradRejected)),
        paper: Math.abs(dpoLoss(four, beta) - trl.loss),
        float32: Math.abs(device.losses[i]! - trl.loss) / (1 + trl.loss),
      });
    }
  }
  return away;
}
