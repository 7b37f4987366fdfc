/**
 * @file Evidence by the optimum: a scalar reward model fitted by the trainer's loss and a policy fitted by DPO, apart
 * and to the end, on the same preferences, are one another's image under π ∝ π_ref exp(r/β).
 */
import { Random } from "../../../data/random.ts";
import type { Gpu } from "../../../gpu/gpu.ts";
import type { DifferenceLoss } from "../../../train/losses/loss.ts";
import { type EquivRow, equivRow, largest } from "../row.ts";
import { streams } from "../streams.ts";
import { exactLabels, sampledCounts, type Wins } from "./comparisons.ts";
import { fitPolicyOnDevice, fitRewardsOnDevice } from "./fit-device.ts";
import { fitPolicy, fitRewards, gradientTolerance, logSoftmax } from "./fit-host.ts";

const beta = 0.5;
const comparisonsPerPrompt = 60;
const bounds = { float64: 1e-6, float32: 1e-3, normalised: 1e-12 } as const;

/** Per prompt and response. */
type Table = readonly (readonly number[])[];

export async function optimumRows(gpu: Gpu, loss: DifferenceLoss, seed: number): Promise<EquivRow[]> {
  const random = new Random(seed, streams.table);
  const table = () => Array.from({ length: 6 }, () => Array.from({ length: 5 }, () => random.normal()));
  const truth = table();
  const logReference = table().map(logSoftmax);
  const exact = truth.map(exactLabels);
  const counts = truth.map((rewards) => sampledCounts(rewards, comparisonsPerPrompt, random));
  const [first, firstRewards] = inFloat64("exact soft labels", "every pair", exact, logReference, loss);
  const drawn = `${comparisonsPerPrompt} drawn for each prompt, checked to be strongly connected`;
  const [second] = inFloat64("sampled counts", drawn, counts, logReference, loss);
  return [
    ...first,
    equivRow(
      "optimum",
      "exact soft labels, float64: the rewards found = the true ones, up to a constant per prompt",
      spread(firstRewards, truth),
      bounds.float64,
    ),
    ...(await inFloat32(gpu, "exact soft labels", exact, logReference)),
    ...second,
    ...(await inFloat32(gpu, "sampled counts", counts, logReference)),
    ...optimumControls(firstRewards, exact, logReference),
  ];
}

function inFloat64(
  data: string,
  which: string,
  prompts: readonly Wins[],
  logReference: Table,
  loss: DifferenceLoss,
) {
  const models = prompts.map((wins) => fitRewards(wins, loss));
  const policies = prompts.map((wins, x) => fitPolicy(wins, logReference[x]!, beta));
  const rewards = models.map(({ x }) => x);
  const logProbs = policies.map((policy) => policy.logProbs);
  const implicit = implicitRewards(logProbs, logReference);
  const steps = (fits: readonly { readonly steps: number }[]) => largest(fits.map((fit) => fit.steps));
  const row = (claim: string, value: number, bound: number, detail?: string) =>
    equivRow("optimum", `${data}, float64: ${claim}`, value, bound, detail);
  const rows = [
    row(
      "both fits are at their optimum: largest norm of a prompt's gradient",
      largest([...models, ...policies].map((fit) => fit.gradientNorm)),
      gradientTolerance,
      `${prompts.length} prompts x ${prompts[0]?.length} responses, ${which}; Newton, at most ${steps(models)} (rewards) and ${steps(policies)} (policy) steps`,
    ),
    row(
      "BT's rewards = DPO's β log(π/π_ref), up to a constant per prompt",
      spread(rewards, implicit),
      bounds.float64,
      "largest difference within a prompt",
    ),
    row(
      "π_ref exp(r/β) / Z of BT's rewards = DPO's policy",
      distance(policyOf(rewards, logReference), logProbs),
      bounds.float64,
      `largest difference of a probability, β = ${beta}`,
    ),
    row(
      "DPO's own rewards keep Σ π_ref exp(r/β) = 1 for each prompt",
      largest(partition(implicit, logReference).map((z) => Math.abs(z - 1))),
      bounds.normalised,
      "of all rewards that pairs can't tell apart, DPO's are the ones with log Z = 0",
    ),
  ];
  return [rows, rewards] as const;
}

async function inFloat32(
  gpu: Gpu,
  data: string,
  prompts: readonly Wins[],
  logReference: Table,
): Promise<EquivRow[]> {
  const rewards = await fitRewardsOnDevice(gpu, prompts);
  const logProbs = (await fitPolicyOnDevice(gpu, prompts, logReference, beta)).map(logSoftmax);
  return [
    equivRow(
      "optimum",
      `${data}, float32 on the device: BT's rewards = DPO's, up to a constant per prompt`,
      spread(rewards, implicitRewards(logProbs, logReference)),
      bounds.float32,
      "the program's own trainer beside DPO's kernel, both with AdamW",
    ),
    equivRow(
      "optimum",
      `${data}, float32 on the device: π_ref exp(r/β) / Z of BT's rewards = DPO's policy`,
      distance(policyOf(rewards, logReference), logProbs),
      bounds.float32,
    ),
  ];
}

/** What must not come out equal at the optimum. */
function optimumControls(rewards: Table, prompts: readonly Wins[], logReference: Table): EquivRow[] {
  const uniform = logReference.map((row) => logSoftmax(row.map(() => 0)));
  const logProbs = prompts.map((wins, x) => fitPolicy(wins, logReference[x]!, beta).logProbs);
  const sharper = prompts.map((wins, x) => fitPolicy(wins, logReference[x]!, beta / 2).logProbs);
  return [
    equivRow(
      "control",
      "at the optimum, no reference: exp(r/β) / Z of BT's rewards = DPO's policy",
      distance(policyOf(rewards, uniform), logProbs),
      bounds.float64,
    ),
    equivRow(
      "control",
      "at the optimum, β wrong on one side: half β in DPO only",
      distance(policyOf(rewards, logReference), sharper),
      bounds.float64,
    ),
    equivRow(
      "control",
      "at the optimum, not only differences: BT's rewards keep Σ π_ref exp(r/β) = 1",
      largest(partition(rewards, logReference).map((z) => Math.abs(z - 1))),
      bounds.normalised,
      "the same objective, not the same model: BT leaves log Z(x) free",
    ),
  ];
}

const implicitRewards = (logProbs: Table, logReference: Table) =>
  logProbs.map((row, x) => row.map((v, k) => beta * (v - logReference[x]![k]!)));

/** log of π_ref exp(r/β) / Z. */
const policyOf = (rewards: Table, logReference: Table) =>
  rewards.map((row, x) => logSoftmax(row.map((r, k) => logReference[x]![k]! + r / beta)));

/** Σ π_ref exp(r/β) of each prompt. */
const partition = (rewards: Table, logReference: Table) =>
  rewards.map((row, x) => row.reduce((sum, r, k) => sum + Math.exp(logReference[x]![k]! + r / beta), 0));

/** Largest difference of two tables within a prompt, whatever constant lies between them. */
function spread(a: Table, b: Table): number {
  return largest(
    a.map((row, x) => {
      const differences = row.map((v, k) => v - b[x]![k]!);
      return Math.max(...differences) - Math.min(...differences);
    }),
  );
}

/** Largest difference of two probabilities. */
function distance(logA: Table, logB: Table): number {
  return largest(logA.flatMap((row, x) => row.map((v, k) => Math.abs(Math.exp(v) - Math.exp(logB[x]![k]!)))));
}
