/**
 * @file Chooses the rates of `rmtrain train --trainable lora | full` by measurement: one epoch over real pairs, over
 * learning rates of the weights and of the head. The last step's held-out accuracy: the best step's would favour more
 * evaluations.
 *
 *   npx tsx bench/model-defaults.ts MODEL TRAIN.jsonl EVAL.jsonl [PAIRS] [SEEDS]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openGpu } from "../src/gpu/gpu.ts";
import { train } from "../src/train/train.ts";

const grid = [
  { trainable: "head", rates: [[1e-2, undefined]], epochs: 20 },
  {
    trainable: "lora",
    rates: [
      [1e-4, undefined],
      [1e-4, 1e-2],
      [1e-3, undefined],
      [1e-3, 1e-2],
      [5e-3, 1e-2],
    ],
    epochs: 1,
  },
  {
    trainable: "full",
    rates: [
      [1e-5, undefined],
      [1e-5, 1e-2],
      [1e-4, 1e-2],
      [1e-3, undefined],
      [1e-3, 1e-2],
    ],
    epochs: 1,
  },
] as const;

const [model, data, evalData, pairs = "1500", seeds = "1"] = process.argv.slice(2);
if (model === undefined || data === undefined || evalData === undefined) {
  console.error("usage: npx tsx bench/model-defaults.ts MODEL TRAIN.jsonl EVAL.jsonl [PAIRS] [SEEDS]");
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "rmtrain-defaults-"));
const some = join(folder, "train.jsonl");
const lines = readFileSync(data, "utf8").trimEnd().split("\n").slice(0, Number(pairs));
writeFileSync(some, `${lines.join("\n")}\n`);
const gpu = await openGpu();
const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

console.log("trainable\tlr\thead lr\tepochs\teval accuracy of the last step (mean of seeds)\teval loss\ts");
for (const { trainable, rates, epochs } of grid) {
  for (const [lr, headLr] of rates) {
    const began = performance.now();
    const runs = [];
    for (let seed = 0; seed < Number(seeds); seed++) {
      const out = join(folder, "out");
      const options = { model, data: some, evalData, trainable, lr, headLr, epochs, seed, out };
      const { evaluation, last } = await train(gpu, { ...options, initHead: "normal", report: false });
      const metrics = (last?.evaluation ?? evaluation)?.metrics;
      if (metrics === undefined) throw new Error("there are no held-out pairs");
      runs.push(metrics);
      rmSync(out, { recursive: true });
    }
    const row = [
      mean(runs.map((r) => r.accuracy)).toFixed(3),
      mean(runs.map((r) => r.loss)).toFixed(4),
      ((performance.now() - began) / 1e3 / Number(seeds)).toFixed(0),
    ];
    console.log([trainable, lr, headLr ?? lr, epochs, ...row].join("\t"));
  }
}
gpu.close();
rmSync(folder, { recursive: true });
