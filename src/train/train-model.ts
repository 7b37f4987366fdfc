/** @file Training of more than the head: all weights, or low-rank updates with the head, under any reward. */

import { InputError } from "../errors.ts";
import { formatBytes } from "../gpu/errors.ts";
import { warmUp } from "../gpu/warm-up.ts";
import type { Adapter } from "../model/adapter/open-adapter.ts";
import { readHead } from "../model/reward-head.ts";
import { TrainableModel } from "../model/trainable.ts";
import { type ChosenAdapter, chooseAdapter } from "./adapter-options.ts";
import { saveModels } from "./closing.ts";
import type { Example } from "./example-sets.ts";
import { type ExampleForm, referenceItems } from "./forms/form.ts";
import { formOf, type RunExamples } from "./forms/form-of.ts";
import { initialHead } from "./head-init.ts";
import { planMemory } from "./memory-plan.ts";
import { rewardItem } from "./micro-batches.ts";
import { modelRewardKind } from "./model-rewards.ts";
import { modelSaving } from "./model-saving.ts";
import { type ModelParts, ModelTrainer } from "./model-trainer.ts";
import { reportUnused } from "./notes.ts";
import type { ModelRewardKind } from "./rewards/model-reward.ts";
import type { TokenCounts } from "./run-batches.ts";
import { type Outcome, runSteps, type Session } from "./session.ts";
import { checkPlan } from "./state/identity.ts";
import type { Trained } from "./train-loop.ts";

export async function trainModel(session: Session): Promise<Outcome> {
  const { folder, prepared, options, run, gpu } = session;
  const kind = modelRewardKind(options);
  const lora = options.trainable === "lora" ? await chooseAdapter(options, folder) : undefined;
  const began = performance.now();
  const { train, eval: held } = prepared.dataset;
  const own = { train: train.examples, eval: held?.examples ?? [] };
  const form = formOf(options, own, prepared.maxLength);
  const examples = { ...own, form };
  const { trained, parameters, predictedBytes, counts } = await learn(session, kind, lora, examples);
  const trainSeconds = (performance.now() - began) / 1e3;
  // What the steps held has left the device: the saved model is read back into its place.
  const peakBytes = gpu.memory.peakHeld;
  const saving = modelSaving(session, kind, parameters, lora?.settings, form);
  const hasTokenizer = session.tokenizer !== undefined;
  const models = await saveModels(folder, trained, saving, prepared, options, hasTokenizer, run);
  return { trained, models, counts, cached: 0, featureSeconds: 0, trainSeconds, predictedBytes, peakBytes };
}

interface Learnt {
  readonly trained: Trained;
  readonly parameters: TrainableModel["parameters"];
  readonly predictedBytes: number;
  readonly counts: TokenCounts;
}

/** Of milliseconds; those of `performance.now()` count from the process's start. */
const seconds = (milliseconds: number) => (milliseconds / 1e3).toFixed(1);

/** All that needs the model on the device. */
async function learn(
  session: Session,
  kind: ModelRewardKind,
  lora: ChosenAdapter | undefined,
  { form, ...examples }: RunExamples & { readonly form: ExampleForm },
): Promise<Learnt> {
  const { gpu, folder, prepared, options, reporter } = session;
  const { recipe } = prepared;
  const heads = kind.head === "score" ? { head: await firstHead(session, lora?.adapter) } : { lmHead: true };
  using model = await TrainableModel.load(gpu, folder, {
    ...heads,
    ...(lora === undefined
      ? { trainable: "full" }
      : { trainable: "lora", lora: lora.settings, adapter: lora.adapter, seed: options.seed }),
  });
  reportUnused(model.unused, reporter);
  const learning = model.parameters.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  reporter.note(
    `Learning: ${learning.toLocaleString("en-US")} parameters (--trainable ${options.trainable})`,
  );
  const items = [...[...examples.train, ...examples.eval].map(rewardItem), ...referenceItems(form)];
  using reward = await kind.open({ gpu, folder, model, options, recipe, items, reporter });
  const dropout = (lora?.settings.dropout ?? 0) > 0;
  const parts: ModelParts<Example> = { model, reward, form, dropout };
  using trainer = new ModelTrainer(parts, examples, options);
  // What loading left in the pool is no part of the steps' memory.
  gpu.trim();
  gpu.resetPeak();
  const plan = planMemory(trainer);
  checkPlan(session.from, plan.microTokens);
  trainer.microTokens = plan.microTokens;
  const expected = formatBytes(plan.peakBytes);
  reporter.note(
    `Memory: ${expected} of --memory-budget ${formatBytes(gpu.memoryBudget)} are expected, with at most ${plan.microTokens} tokens at once`,
  );
  const began = performance.now();
  const pipelines = [...plan.pipelines, ...trainer.evaluationPipelines()];
  await warmUp(gpu, pipelines, (done, total) => reporter.compiled?.(done, total));
  const kernels = seconds(performance.now() - began);
  trainer.onFirstStep = () => {
    const { peakHeld } = gpu.memory;
    reporter.note(`Memory: ${formatBytes(peakHeld)} taken by the first step; ${expected} were expected`);
    reporter.note(
      `First step: done ${seconds(performance.now())} s after the start, ${kernels} s of which made kernels ready`,
    );
  };
  const identity = { ...session.identity, micro_batch_tokens: plan.microTokens };
  const trained = await runSteps(trainer, { ...session, identity });
  const { counts } = trainer;
  return { trained, parameters: model.parameters, predictedBytes: plan.peakBytes, counts };
}

/** @throws InputError for an adapter without a head, where none is to be made */
async function firstHead({ folder, options }: Session, adapter: Adapter | undefined): Promise<Float32Array> {
  const { initHead, seed } = options;
  if (adapter !== undefined && adapter.head === undefined && initHead === "keep")
    throw new InputError(
      `--adapter ${adapter.dir} has no reward head; begin with a random one: --init-head normal`,
    );
  const own = adapter === undefined ? await readHead(folder) : adapter.head;
  return initialHead(initHead, own, folder.config.hiddenSize, seed);
}
