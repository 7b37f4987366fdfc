/**
 * @file Where the two parametrisations part: the same base, pairs and budget (steps, batches, learning rate), all weights
 * learning, once as a reward model with a head and once as a policy with DPO's implicit reward. Prints the table of
 * docs/equivalence.md: held-out accuracy, agreement, calibration, dependence on length, cost. Of the last step's weights: the
 * best step would be chosen on these very pairs.
 *
 *   npx tsx bench/scalar-and-implicit.ts MODEL TRAIN.jsonl EVAL.jsonl [PAIRS] [SEEDS] [LR] [EPOCHS] [MAX-LENGTH]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openGpu } from "../src/gpu/gpu.ts";
import { calibrate } from "../src/train/calibration.ts";
import { type TrainResult, train } from "../src/train/train.ts";

const [model, data, evalData, pairs = "1500", seeds = "1", lr = "1e-3", epochs = "1", maxLength] =
  process.argv.slice(2);
if (model === undefined || data === undefined || evalData === undefined) {
  console.error(
    "usage: npx tsx bench/scalar-and-implicit.ts MODEL TRAIN.jsonl EVAL.jsonl [PAIRS] [SEEDS] [LR] [EPOCHS] [MAX-LENGTH]",
  );
  process.exit(2);
}

const objectives = { scalar: { objective: "bt", headLr: 1e-2 }, implicit: { objective: "dpo" } } as const;
type Reward = keyof typeof objectives;

const folder = mkdtempSync(join(tmpdir(), "rmtrain-part-"));
const some = join(folder, "train.jsonl");
const lines = readFileSync(data, "utf8").trimEnd().split("\n").slice(0, Number(pairs));
writeFileSync(some, `${lines.join("\n")}\n`);
const gpu = await openGpu();

interface Ran {
  /** r_w - r_l of the held-out pairs. */
  readonly margins: Float64Array;
  /** Tokens of the chosen side more than of the rejected one. */
  readonly longer: readonly number[];
  /** Of the processor, over the whole run with its evaluations. */
  readonly secondsPerPair: number;
  readonly peakBytes: number;
}

async function ran(reward: Reward, seed: number): Promise<Ran> {
  const out = join(folder, `${reward}-${seed}`);
  const began = process.cpuUsage();
  const result = await train(gpu, {
    model: model!,
    data: some,
    evalData: evalData!,
    out,
    trainable: "full",
    ...objectives[reward],
    lr: Number(lr),
    epochs: Number(epochs),
    maxLength: maxLength === undefined ? undefined : Number(maxLength),
    seed,
    initHead: "normal",
    report: false,
    evalSteps: 1e6, // only at the end
  });
  rmSync(out, { recursive: true });
  const { user, system } = process.cpuUsage(began);
  return measured(result, (user + system) / 1e6);
}

function measured(result: TrainResult, seconds: number): Ran {
  const { rewards } = result.last ?? result;
  const held = result.dataset.eval;
  if (held === undefined || held.kind !== "pairs") throw new Error("there are no held-out pairs");
  const seen = result.dataset.train.examples.length * Number(epochs);
  return {
    margins: Float64Array.from(rewards, ({ chosen, rejected }) => chosen - rejected),
    longer: held.pairs.map(({ item: { sequences } }) => sequences[0]!.length - sequences[1]!.length),
    secondsPerPair: seconds / seen,
    peakBytes: result.peakBytes,
  };
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length;

/** Pearson's. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [ma, mb] = [mean(a), mean(b)];
  const [da, db] = [Float64Array.from(a, (v) => v - ma), Float64Array.from(b, (v) => v - mb)];
  return da.reduce((sum, v, i) => sum + v * db[i]!, 0) / (Math.hypot(...da) * Math.hypot(...db));
}

const all: Record<Reward, Ran[]> = { scalar: [], implicit: [] };
for (let seed = 0; seed < Number(seeds); seed++)
  for (const reward of ["scalar", "implicit"] as const) all[reward].push(await ran(reward, seed));

const spread = (values: readonly number[], digits: number) =>
  values.length === 1
    ? values[0]!.toFixed(digits)
    : `${mean(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`;
const row = (name: string, of: (run: Ran) => number, digits = 3) =>
  console.log(
    `| ${name} | ${spread(all.scalar.map(of), digits)} | ${spread(all.implicit.map(of), digits)} |`,
  );
const n = all.scalar[0]!.margins.length;
const agreeing = all.scalar.map((a, s) => {
  const b = all.implicit[s]!.margins;
  return mean(a.margins.map((m, i) => Number(Math.sign(m) === Math.sign(b[i]!))));
});
const alike = all.scalar.map((a, s) => correlation(a.margins, all.implicit[s]!.margins));

console.log(`| of ${n} held-out pairs | scalar | implicit |\n|---|---:|---:|`);
row("accuracy", ({ margins }) => mean(margins.map((m) => Number(m > 0))));
row("negative log-likelihood (ln 2 = 0.693 says nothing)", ({ margins }) => calibrate(margins).nll);
row("expected calibration error", ({ margins }) => calibrate(margins).ece);
row("temperature that fits best (1 is calibrated)", ({ margins }) => calibrate(margins).temperature, 2);
row("correlation of margin and difference of lengths", ({ margins, longer }) => correlation(margins, longer));
row(
  "processor milliseconds per training pair, all included",
  ({ secondsPerPair }) => 1e3 * secondsPerPair,
  1,
);
row("peak memory in MiB", ({ peakBytes }) => peakBytes / 2 ** 20, 1);
console.log(
  `\nBoth order the same way: ${spread(agreeing, 3)}; correlation of their margins ${spread(alike, 3)}.`,
);
gpu.close();
rmSync(folder, { recursive: true });
