/** @file Training of the head alone: the frozen backbone runs once for features, every step touches only the head. */
import { warmUp } from "../gpu/warm-up.ts";
import { headName, readHead } from "../model/reward-head.ts";
import { saveRewardModel } from "../model/save.ts";
import { type Saving, saveModels } from "./closing.ts";
import type { Example } from "./example-sets.ts";
import { type Features, releaseFeatures } from "./features.ts";
import { type ExampleForm, referenceItems } from "./forms/form.ts";
import { formOf, type RunExamples } from "./forms/form-of.ts";
import { initialHead } from "./head-init.ts";
import { HeadRun } from "./head-run.ts";
import { HeadTrainer } from "./head-trainer.ts";
import { lastIds } from "./model-saving.ts";
import { itemFeatures } from "./run-features.ts";
import { type Outcome, runSteps, type Session } from "./session.ts";
import { stopIfAsked } from "./state/checks.ts";
import type { Kept } from "./train-loop.ts";

export async function trainHead(session: Session): Promise<Outcome> {
  const { gpu, folder, prepared, options, from, signal, reporter, run } = session;
  const { dataset, recipe, maxLength } = prepared;
  const began = performance.now();
  const examples = { train: dataset.train.examples, eval: dataset.eval?.examples ?? [] };
  const form = formOf(options, examples, maxLength);
  const all = [...examples.train, ...examples.eval];
  const items = [...all.map(({ item }) => item), ...referenceItems(form)];
  const features = await itemFeatures(gpu, folder, items, recipe, options, reporter, () =>
    stopIfAsked(signal, from),
  );
  const featureSeconds = (performance.now() - began) / 1e3;
  try {
    using trainer = await headRun(features, { ...examples, form }, session);
    await warmUp(gpu, trainer.pipelines(), (done, total) => reporter.compiled?.(done, total));
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
async function headRun(
  { table, rows }: Features,
  examples: RunExamples & { readonly form: ExampleForm },
  { gpu, folder, options }: Session,
): Promise<HeadRun<Example>> {
  const { initHead, seed } = options;
  const head = initialHead(initHead, await readHead(folder), folder.config.hiddenSize, seed);
  const count = examples.train.length;
  const references = rows.slice(count + examples.eval.length).map((own) => own[0]!);
  const own = {
    ...examples,
    trainRows: rows.slice(0, count),
    evalRows: rows.slice(count, count + examples.eval.length),
    ...(examples.form.references === undefined
      ? {}
      : {
          references: {
            train: Int32Array.from(references.slice(0, count)),
            eval: Int32Array.from(references.slice(count)),
          },
        }),
  };
  return new HeadRun(new HeadTrainer(gpu, table, head, options), own, options);
}

function headSaving(trainer: HeadRun<Example>, session: Session, lastIds: ReadonlySet<number>): Saving {
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
    evaluate: (_, { step, weights }) => trainer.scores(step, headOf(weights)),
  };
}

function headOf(weights: Kept["weights"]): Float32Array<ArrayBuffer> {
  const head = weights.get(headName);
  if (head === undefined) throw new Error(`There are no values of ${headName}`);
  return head.values;
}
