/**
 * @file Chooses the defaults of `rmtrain train` by measurement: a lone head on the features of real pairs, over
 * learning rates and epochs, three seeds each. The features are computed once per data set.
 *
 *   npx tsx bench/head-defaults.ts MODEL NAME=TRAIN.jsonl,EVAL.jsonl ...
 */
import { openGpu } from "../src/gpu/gpu.ts";
import { chatReader } from "../src/model/chat/chat-reader.ts";
import { loadBackbone } from "../src/model/load.ts";
import { openModelFolder } from "../src/model/model-folder.ts";
import { loadTokenizer } from "../src/model/tokenizer.ts";
import { loadDataset } from "../src/train/dataset.ts";
import { computeFeatures } from "../src/train/features.ts";
import { pairForm } from "../src/train/forms/pairs.ts";
import { initialHead } from "../src/train/head-init.ts";
import { HeadRun } from "../src/train/head-run.ts";
import { HeadTrainer } from "../src/train/head-trainer.ts";
import { pairObjective } from "../src/train/objectives.ts";
import { type TrainOptions, trainDefaults } from "../src/train/options.ts";
import { beginning } from "../src/train/state/progress.ts";
import { trainLoop } from "../src/train/train-loop.ts";

const grid = {
  lr: [1e-4, 1e-3, 1e-2, 5e-2],
  epochs: [1, 5, 10, 20],
  maxGradNorm: [1],
  seeds: [0, 1, 2],
};

const [model, ...sets] = process.argv.slice(2);
if (model === undefined || sets.length === 0) {
  console.error("usage: npx tsx bench/head-defaults.ts MODEL NAME=TRAIN.jsonl[,EVAL.jsonl] ...");
  process.exit(2);
}

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

await using folder = await openModelFolder(model);
const tokenizer = await loadTokenizer(model);
const gpu = await openGpu();
const { backbone } = await loadBackbone(gpu, folder);
const { config } = folder;
const recipe = { addEos: true, eosTokenId: tokenizer.eosTokenId ?? 0, readPosition: "last" } as const;

console.log("data\tlr\tepochs\tclip\teval accuracy (mean of seeds)\teval loss\tsteps of the kept heads");
for (const set of sets) {
  const [name = "", files = ""] = set.split("=");
  const [data = "", evalData] = files.split(",");
  const tokenise = {
    encoder: tokenizer,
    recipe,
    vocabSize: config.vocabSize,
    maxLength: 512,
    overlong: "left",
  } as const;
  const chats = chatReader(model, tokenise.encoder, undefined);
  const dataset = await loadDataset({ data, evalData, evalSplit: undefined, seed: 0 }, chats, tokenise);
  const { train } = dataset;
  const held = dataset.eval?.pairs ?? [];
  const items = [...train.pairs, ...held].map((p) => p.item);
  const features = await computeFeatures(
    gpu,
    config.hiddenSize,
    items,
    (ids) => ids.length - 1,
    { batchTokens: 4096 },
    (_, work) => work(backbone),
  );
  for (const maxGradNorm of grid.maxGradNorm) {
    for (const lr of grid.lr) {
      for (const epochs of grid.epochs) {
        const runs = [];
        for (const seed of grid.seeds) {
          const options: TrainOptions = {
            ...trainDefaults,
            model,
            data,
            out: "",
            lr,
            epochs,
            seed,
            maxGradNorm,
            logEvery: 100,
          };
          const trainer = new HeadTrainer(
            gpu,
            features.table,
            initialHead("normal", undefined, config.hiddenSize, seed),
            options,
          );
          const pairs = {
            form: pairForm(pairObjective(options), 0),
            train: train.pairs,
            trainRows: features.rows.slice(0, train.pairs.length),
            eval: held,
            evalRows: features.rows.slice(train.pairs.length),
          };
          using run = new HeadRun(trainer, pairs, options);
          const { last } = await trainLoop(run, {
            train: train.pairs,
            options,
            from: beginning,
            onTrain: async () => {},
            onEval: async () => {},
            onSave: async () => "",
            reload: () => run.state(),
          });
          // The best step's accuracy would favour more evaluations: it is chosen on these very pairs.
          const rewards = await run.heldOutRewards(last.step);
          if (rewards === undefined) throw new Error("there are no held-out pairs");
          runs.push({ step: last.step, ...pairs.form.metrics(held, rewards) });
        }
        const row = [
          name,
          lr,
          epochs,
          maxGradNorm,
          mean(runs.map((r) => r.accuracy)).toFixed(3),
          mean(runs.map((r) => r.loss)).toFixed(4),
        ];
        console.log([...row, runs.map((r) => r.step).join(" ")].join("\t"));
      }
    }
  }
  gpu.release(features.table.buffer);
}
backbone.release();
gpu.close();
