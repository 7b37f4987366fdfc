/** @file Training of the head alone: the frozen backbone runs once for features, every step touches only the head. */
import { headName, readHead } from "../model/reward-head.ts";
import { saveRewardModel } from "../model/save.ts";
import { type Saving, saveModels } from "./closing.ts";
import { pairsOf } from "./example-sets.ts";
import { type Features, releaseFeatures } from "./features.ts";
import { initialHead } from "./head-init.ts";
import { HeadRun } from "./head-run.ts";
import { HeadTrainer } from "./head-trainer.ts";
import { lastIds } from "./model-saving.ts";
import { pairFeatures } from "./run-features.ts";
import { type Outcome, runSteps, type Session } from "./session.ts";
import { stopIfAsked } from "./state/checks.ts";
import type { Kept } from "./train-loop.ts";

export async function trainHead(session: Session): Promise<Outcome> {
  const { gpu, folder, prepared, options, from, signal, reporter, run } = session;
  const { dataset, recipe } = prepared;
  const began = performance.now();
  const all = [...pairsOf(dataset.train), ...pairsOf(dataset.eval)];
  const features = await pairFeatures(gpu, folder, all, recipe, options, reporter, () =>
    stopIfAsked(signal, from),
  );
  const featureSeconds = (performance.now() - began) / 1e3;
  try {
    using trainer = await headRun(features, session);
    const trained = await runSteps(trainer, session);
    const saving = headSaving(trainer, session, lastIds(all));
    // Rewards that are not finite end the run before a model is written.
    for (const { step, weights } of [trained.last, trained.best])
      await trainer.heldOutRewards(step, headOf(weights));
    const trainSeconds = (performance.now() - began) / 1e3 - featureSeconds;
    const hasTokenizer = session.tokenizer !== undefined;
    const models = await saveModels(folder, trained, saving, prepared, options, hasTokenizer, run);
    const { counts, cached } = features;
    return { trained, models, counts, cached, featureSeconds, trainSeconds, peakBytes: gpu.memory.peak };
  } finally {
    releaseFeatures(gpu, features);
  }
}

/** At the head that the run begins with. */
async function headRun(features: Features, session: Session): Promise<HeadRun> {
  const { gpu, folder, options, prepared } = session;
  const { initHead, seed } = options;
  const { train, eval: held } = prepared.dataset;
  const head = initialHead(initHead, await readHead(folder), folder.config.hiddenSize, seed);
  const count = train.examples.length;
  const pairs = {
    train: pairsOf(train),
    trainRows: features.rows.slice(0, count),
    eval: pairsOf(held),
    evalRows: features.rows.slice(count),
  };
  return new HeadRun(new HeadTrainer(gpu, features.table, head, options), pairs, options);
}

function headSaving(trainer: HeadRun, session: Session, lastIds: ReadonlySet<number>): Saving {
  const { folder, tokenizer, options, prepared } = session;
  const { recipe, chatTemplate } = prepared;
  const { maxShardSize } = options;
  return {
    save: (dir, { weights }) =>
      saveRewardModel(dir, folder, {
        weight: headOf(weights),
        maxShardSize,
        recipe,
        tokenizer,
        chatTemplate,
        lastIds,
      }),
    // The head is saved as it is, f32, and the features are those that `score` computes.
    rewards: (_, { step, weights }) => trainer.heldOutRewards(step, headOf(weights)),
  };
}

function headOf(weights: Kept["weights"]): Float32Array<ArrayBuffer> {
  const head = weights.get(headName);
  if (head === undefined) throw new Error(`There are no values of ${headName}`);
  return head.values;
}
