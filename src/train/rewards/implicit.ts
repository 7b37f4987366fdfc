/**
 * @file The implicit reward: what a causal LM's log-probability of a reply, beside its reference's, says of the reply.
 * DPO's is r(x, y) = β (log π(y|x) - log π_ref(y|x)) (Rafailov et al. 2023, arXiv 2305.18290); the other forms are data,
 * in implicit-form.ts.
 */

import { InputError } from "../../errors.ts";
import { implicitReward, implicitRewardGradient, implicitTerms } from "../../kernels/implicit-reward.ts";
import { weightedSums } from "../../kernels/weighted-sums.ts";
import { openModelFolder } from "../../model/model-folder.ts";
import type { Recording } from "../../model/operations.ts";
import { replyEntries } from "../../model/reply-entries.ts";
import { replyLogps } from "../../model/reply-logps.ts";
import { replyPenalties } from "../../model/reply-penalties.ts";
import type { LinearWeights } from "../../model/weights.ts";
import type { Tape } from "../../tensor/tape.ts";
import { Tensor, uploadTensor } from "../../tensor/tensor.ts";
import type { ImplicitForm } from "./implicit-form.ts";
import { checkSameTokens } from "./implicit-models.ts";
import { scoreSaved } from "./implicit-scorer.ts";
import { oddsBetas, type ReplyTerms, termsOf } from "./implicit-terms.ts";
import type {
  ModelReward,
  ModelRewardKind,
  RewardContext,
  RewardInput,
  RewardingModel,
} from "./model-reward.ts";
import { type ReferenceLogp, referenceLogps } from "./reference-logps.ts";
import { stack } from "./stack.ts";

/** @param pairs whether the first half of the rewards is of chosen replies, the second of rejected ones */
export function implicitModel(form: ImplicitForm, pairs: boolean): ModelRewardKind {
  return {
    name: "implicit",
    head: "vocabulary",
    async open(context) {
      const reference = form.reference ? await openReference(context) : undefined;
      const { seed, cringeK: k = defaultK } = context.options;
      return new ImplicitReward(form, reference, pairs, form.name === "cringe" ? { k, seed } : undefined);
    },
    score: (gpu, saved, items, options, onCompiled) =>
      scoreSaved(gpu, saved, items, form, options, onCompiled),
  };
}

/** The base itself, before its first step and with updates off, or the folder that --reference names. */
async function openReference(context: RewardContext): Promise<ReferenceLogp> {
  const { gpu, folder, model, options, items, reporter } = context;
  const { reference: dir } = options;
  if (dir !== undefined) {
    await using other = await openModelFolder(dir, { ignoreRecipeMismatch: true });
    checkSameTokens(folder, other);
    return await referenceLogps({ gpu, folder: other, model: undefined }, items, options, reporter);
  }
  const { backbone } = model;
  const lmHead = headOf(model);
  return referenceLogps({ gpu, folder, model: { backbone, lmHead } }, items, options, reporter);
}

function headOf({ vocabulary, lmHead }: RewardingModel): LinearWeights | Tensor {
  const head = vocabulary ?? lmHead;
  if (head === undefined) throw new Error("the model was loaded without its vocabulary head");
  return head;
}

/** Words that CRINGE draws from, unless --cringe-k says another number. */
export const defaultK = 5;

/** TRL's names; rewards/accuracies is the loop's own accuracy, which metrics.ts adds. */
const pairColumns = ["rewards/chosen", "rewards/rejected", "rewards/margins"] as const;
const logpColumns = ["logps/chosen", "logps/rejected"] as const;
const nllColumn = "nll_loss";

/** What `implicitModel` opens. */
export class ImplicitReward implements ModelReward {
  readonly columns: readonly string[];

  constructor(
    readonly form: ImplicitForm,
    readonly reference: ReferenceLogp | undefined,
    /** Whether the first half of the rewards is of chosen replies, the second of rejected ones. */
    readonly pairs: boolean,
    /** Where rejected replies' tokens are penalised: then a step's rewards are followed by those penalties. */
    readonly penalties?: { readonly k: number; readonly seed: number } | undefined,
  ) {
    this.columns = pairs ? [...pairColumns, ...logpColumns, ...(form.nll > 0 ? [nllColumn] : [])] : [];
  }

  forward(model: RewardingModel, tape: Tape | undefined, input: RewardInput): Tensor {
    const { gpu } = model;
    const lmHead = headOf(model);
    const { batch, sequences, order, hidden, capacity, rewardCapacity, step } = input;
    const on = { gpu, tape };
    const starts = sequences.map(({ replyStart }) => replyStart);
    const entries = replyEntries(batch, starts, order);
    const { tokens, sums: logps } = replyLogps(on, hidden, lmHead, entries, {
      entries: Math.max(capacity, entries.rows.length),
      sequences: rewardCapacity,
    });
    const penalties = step && this.penalties && this.#penalties(on, lmHead, input, step.number);
    tape?.release(hidden);
    tape?.release(tokens);
    const lengths = Array.from(order, (_, n) => entries.offsets[n + 1]! - entries.offsets[n]!);
    const replies = this.#replies(input, lengths);
    const terms = uploadTensor(
      gpu,
      termsOf(this.form, replies),
      implicitTerms.count,
      "terms of the implicit reward",
      {
        capacity: rewardCapacity,
      },
    );
    const betas = oddsBetas(this.form);
    const rewards = implicitReward(gpu, logps, terms, { oddsBeta: betas.reward });
    if (step?.metrics !== undefined && this.pairs)
      this.#measure(model, { ...step, metrics: step.metrics }, rewards, logps, lengths, rewardCapacity);
    if (tape?.tracks(logps)) {
      tape.record(rewards, [logps], (gradient) => {
        tape.pass(logps, implicitRewardGradient(gpu, gradient, logps, terms, { oddsBeta: betas.gradient }));
      });
    }
    tape?.release(logps);
    if (penalties === undefined) return rewards;
    const scores = stack(on, rewards, penalties);
    for (const part of [rewards, penalties]) tape?.release(part);
    return scores;
  }

  /** Of the rejected replies, which are the second half. */
  #penalties(
    on: Recording,
    lmHead: LinearWeights | Tensor,
    { batch, sequences, order, hidden, capacity, rewardCapacity }: RewardInput,
    step: number,
  ): Tensor {
    if (!(lmHead instanceof Tensor) && (lmHead.lora?.length ?? 0) > 0)
      throw new InputError("CRINGE reads the vocabulary head as it is: leave lm_head out of --lora-targets");
    const weight = lmHead instanceof Tensor ? lmHead : lmHead.weight;
    const starts = sequences.map(({ replyStart }) => replyStart);
    const entries = replyEntries(batch, starts, order.subarray(order.length / 2));
    const room = { entries: Math.max(capacity, entries.rows.length), sequences: rewardCapacity };
    const draw = { k: this.penalties?.k ?? defaultK, seed: this.penalties?.seed ?? 0, step };
    return replyPenalties(on, batch, hidden, weight, entries, draw, room);
  }

  [Symbol.dispose](): void {}

  #replies({ sequences, order, step }: RewardInput, lengths: readonly number[]): ReplyTerms[] {
    const { form, reference, pairs } = this;
    return Array.from(order, (n, i) => {
      const { ids, replyStart } = sequences[n]!;
      const tokens = lengths[i]!;
      const chosen = pairs && i < order.length / 2 && tokens > 0;
      return {
        tokens,
        reference: reference?.(ids, replyStart) ?? 0,
        nll: chosen && step !== undefined ? -form.nll / (tokens * step.total) : 0,
      };
    });
  }

  /** Means over the micro-batch's pairs. */
  #measure(
    { gpu }: RewardingModel,
    { metrics, row }: { readonly metrics: Tensor; readonly row: number },
    rewards: Tensor,
    logps: Tensor,
    lengths: readonly number[],
    capacity: number,
  ): void {
    const n = lengths.length / 2;
    const weights = (rowOf: (chosen: boolean, tokens: number) => number[]) => {
      const rows = lengths.map((tokens, i) => rowOf(i < n, tokens));
      const values = Float32Array.from(rows.flat());
      return uploadTensor(gpu, values, rows[0]?.length ?? 0, "weights of metrics", { capacity });
    };
    const both = (chosen: boolean) => (chosen ? [1 / n, 0] : [0, 1 / n]);
    weightedSums(
      gpu,
      rewards,
      weights((chosen) => [...both(chosen), (chosen ? 1 : -1) / n]),
      { metrics, row, column: 0 },
    );
    const nll = (chosen: boolean, tokens: number) => (chosen && tokens > 0 ? -1 / (tokens * n) : 0);
    weightedSums(
      gpu,
      logps,
      weights((chosen, tokens) => [...both(chosen), ...(this.form.nll > 0 ? [nll(chosen, tokens)] : [])]),
      { metrics, row, column: pairColumns.length },
    );
  }
}
