/**
 * @file Implicit rewards of finished models: a policy and its reference on the device, texts' log-probabilities on the
 * host. A run's closing evaluation and `rmtrain score` both come through here, so that they give the same bits.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import type { WarmUpProgress } from "../../gpu/warm-up.ts";
import { openModelFolder } from "../../model/model-folder.ts";
import type { TrainOptions } from "../options.ts";
import { type PolicyOnDevice, type ReplyItem, replyLogpsOf, runningSums } from "../reply-logps.ts";
import { defaultBatchTokens, type RunOptions, type TokenCounts } from "../run-batches.ts";
import { loadImplicitModels } from "./implicit-models.ts";
import { type FormWithBeta, implicitReward } from "./implicit-terms.ts";
import type { RewardItem, SavedModel } from "./model-reward.ts";

/** A reply's reward, and that of each of its prefixes. */
export interface ImplicitScore {
  readonly ids: Int32Array;
  readonly reward: number;
  /** log π(y|x), and log π_ref(y|x) where the form has a reference. */
  readonly logp: number;
  readonly referenceLogp: number | undefined;
  /** [tokens] Up to and including each token of the sequence; 0 before the reply. The last is the reward. */
  readonly perToken: Float32Array;
}

/** A policy, and what its log-probabilities are compared with. */
export interface ImplicitModels {
  readonly policy: PolicyOnDevice;
  /** The policy's base with updates off, or another model; undefined where the form has no reference. */
  readonly reference: { readonly model: PolicyOnDevice; readonly updates: boolean } | undefined;
}

/** Rewards of items' replies, `[item][sequence]`; a sequence's have the same bits whatever stands beside it. */
export async function implicitScores(
  models: ImplicitModels,
  form: FormWithBeta,
  items: readonly ReplyItem[],
  options: Partial<RunOptions> = {},
): Promise<{ readonly scores: ImplicitScore[][]; readonly counts: TokenCounts }> {
  const { batchTokens = defaultBatchTokens, onProgress, onCompiled } = options;
  const run = { batchTokens, onProgress, onCompiled };
  const { logps, counts } = await replyLogpsOf(models.policy, items, run);
  const { reference } = models;
  const others =
    reference === undefined || !form.reference
      ? undefined
      : await replyLogpsOf(reference.model, items, {
          ...run,
          onProgress: undefined,
          updates: reference.updates,
        });
  const scores = items.map(({ sequences }, i) =>
    sequences.map((ids, reply) => scoreOf(form, ids, logps[i]![reply]!, others?.logps[i]?.[reply])),
  );
  return {
    scores,
    counts: {
      computed: counts.computed + (others?.counts.computed ?? 0),
      padded: counts.padded + (others?.counts.padded ?? 0),
    },
  };
}

function scoreOf(
  form: FormWithBeta,
  ids: Int32Array,
  logps: Float32Array,
  referenceLogps: Float32Array | undefined,
): ImplicitScore {
  const sums = runningSums(logps);
  const others = referenceLogps && runningSums(referenceLogps);
  const perToken = new Float32Array(ids.length);
  const first = ids.length - logps.length;
  for (const [t, sum] of sums.entries())
    perToken[first + t] = implicitReward(form, sum, others?.[t] ?? 0, t + 1);
  return {
    ids,
    reward: perToken.at(-1) ?? 0,
    logp: sums.at(-1) ?? 0,
    referenceLogp: others && (others.at(-1) ?? 0),
    perToken,
  };
}

/** The closing evaluation of a run. */
export async function scoreSaved(
  gpu: Gpu,
  saved: SavedModel,
  items: readonly RewardItem[],
  form: FormWithBeta,
  options: TrainOptions,
  onCompiled?: WarmUpProgress,
): Promise<Float32Array[]> {
  await using folder = await openModelFolder(saved.dir, { ignoreRecipeMismatch: true });
  const base = saved.adapter === undefined ? options.model : undefined;
  using models = await loadImplicitModels(gpu, folder, {
    adapter: saved.adapter,
    reference: form.reference ? (options.reference ?? base) : undefined,
  });
  const { scores } = await implicitScores(models, form, items, { ...options, onCompiled });
  return scores.map((own) => Float32Array.from(own, ({ reward }) => reward));
}
