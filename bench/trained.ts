/**
 * @file What training gives on real data: head, lora and full on pairs, KTO on single labels, ranked lists; held-out
 * accuracy of the last step, tokens/s of training and most bytes on the device. The settings below are the same for every
 * model and set. A finished run is a line of RESULTS.jsonl and is not done again: the command goes on where it was stopped.
 *
 *   npx tsx bench/trained.ts RESULTS.jsonl MODEL_DIR[,...] DATA_DIR [FILTER] [SEEDS]
 *
 * DATA_DIR holds blimp, hh-harmless, qa-feedback (train.jsonl, eval.jsonl; qa-feedback also ranked.jsonl) and halueval.
 * FILTER: a regular expression on "model set what", such as "blimp lora".
 */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { openGpu } from "../src/gpu/gpu.ts";
import type { TrainArguments } from "../src/train/options.ts";
import { type TrainResult, train } from "../src/train/train.ts";

type Settings = Omit<TrainArguments, "model" | "data" | "out">;

/** Rates for models of a million weights; chosen on stories260k and blimp, as the README says, and used for all. */
const rates: Readonly<Record<string, Settings>> = {
  head: { trainable: "head" },
  lora: { trainable: "lora", lr: 2e-3, headLr: 1e-2 },
  full: { trainable: "full", lr: 1e-3, headLr: 1e-2 },
};

const pairs = ["blimp", "hh-harmless", "qa-feedback"].flatMap((set) =>
  Object.entries(rates).map(([what, settings]) => ({ set, what, settings })),
);
const dpo: Settings = { objective: "dpo", trainable: "lora", lr: 1e-3 };
const work: readonly { set: string; what: string; settings: Settings; file?: string }[] = [
  ...pairs,
  ...["blimp", "hh-harmless", "qa-feedback"].map((set) => ({ set, what: "dpo lora", settings: dpo })),
  { set: "halueval", what: "kto head", settings: { ...rates.head, objective: "kto" } },
  { set: "halueval", what: "kto lora", settings: { ...rates.lora, objective: "kto", reward: "scalar" } },
  {
    set: "qa-feedback",
    what: "plackett-luce lora",
    file: "ranked.jsonl",
    settings: { ...rates.lora, loss: "plackett-luce" },
  },
];

interface Line {
  readonly run: string;
  readonly accuracy: number;
  readonly interval: readonly number[] | undefined;
  readonly loss: number;
  readonly held: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly peakMiB: number;
}

const [results, models, data, filter = "", seeds = "1"] = process.argv.slice(2);
if (results === undefined || models === undefined || data === undefined) {
  console.error("usage: npx tsx bench/trained.ts RESULTS.jsonl MODEL_DIR[,...] DATA_DIR [FILTER] [SEEDS]");
  process.exit(2);
}
const read = (file: string): Line[] =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Line)
    : [];
const done = new Set(read(results).map(({ run }) => run));

function lineOf(run: string, result: TrainResult): Line {
  const kept = result.last ?? result;
  const metrics = kept.evaluation?.metrics ?? kept.others?.metrics;
  if (metrics === undefined) throw new Error(`${run}: nothing was held out`);
  const accuracy = kept.evaluation?.accuracy;
  return {
    run,
    accuracy: metrics.accuracy,
    interval: accuracy && [accuracy.low, accuracy.high],
    loss: metrics.loss,
    held: result.dataset.eval?.examples.length ?? 0,
    tokens: result.counts.computed,
    seconds: result.featureSeconds + result.trainSeconds,
    peakMiB: result.peakBytes / 2 ** 20,
  };
}

const gpu = await openGpu();
const out = join(mkdtempSync(join(tmpdir(), "rmtrain-trained-")), "out");
for (let seed = 0; seed < Number(seeds); seed++) {
  for (const model of models.split(",")) {
    for (const { set, what, settings, file } of work) {
      const run = `${basename(model)} ${set} ${what} seed ${seed}`;
      if (done.has(run) || !new RegExp(filter).test(run)) continue;
      const records =
        file === undefined
          ? { data: join(data, set, "train.jsonl"), evalData: join(data, set, "eval.jsonl") }
          : { data: join(data, set, file), evalSplit: 0.2 };
      const common = { model, out, seed, overlong: "left", maxLength: 512, report: false } as const;
      const head = settings.objective === "dpo" ? {} : ({ initHead: "normal" } as const);
      const result = await train(gpu, { ...common, ...head, ...records, ...settings });
      appendFileSync(results, `${JSON.stringify(lineOf(run, result))}\n`);
      rmSync(out, { recursive: true });
    }
  }
}
gpu.close();

console.log("| run | held out | accuracy | 95 % | tokens/s | s | MiB |\n|---|---|---|---|---|---|---|");
for (const l of read(results)) {
  const interval = l.interval?.map((x) => x.toFixed(3)).join(" to ") ?? "";
  const rate = (l.tokens / l.seconds).toFixed(0);
  const cells = [
    l.run,
    l.held,
    l.accuracy.toFixed(3),
    interval,
    rate,
    l.seconds.toFixed(0),
    l.peakMiB.toFixed(1),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
