/**
 * @file The implicit reward as numbers: what of a form (implicit-form.ts) multiplies and shifts a reply's
 * log-probability. The device's kernel and the host's arithmetic take the same float32 terms, and give the same bits.
 */
import { InputError } from "../../errors.ts";
import { implicitTerms } from "../../kernels/implicit-reward.ts";
import type { ImplicitForm } from "./implicit-form.ts";

/** A form with the run's β. */
export type FormWithBeta = Pick<ImplicitForm, "reference" | "normalise" | "odds" | "weighsLoss" | "beta">;

/** What one reply adds to the terms. */
export interface ReplyTerms {
  /** Reply tokens that have a log-probability. */
  readonly tokens: number;
  /** log π_ref(y|x); not read where the form has no reference. */
  readonly reference: number;
  /** d loss / d log π(y|x) of the negative log-likelihood beside the reward. */
  readonly nll: number;
}

/** What a reply's log-probability, less the reference's, is multiplied by; of log-odds before the odds are taken. */
export function scaleOf(form: FormWithBeta, tokens: number): number {
  const beta = form.odds ? 1 : form.beta;
  if (form.normalise === "sum") return beta;
  if (tokens > 0) return beta / tokens;
  if (form.odds) throw new InputError("a reply of which no token is left has no odds: raise --max-length");
  return 0;
}

/** Factors of the log-odds: in the reward, and in the gradient that comes back (the loss's weight λ of ORPO). */
export function oddsBetas(form: FormWithBeta): { readonly reward?: number; readonly gradient?: number } {
  if (!form.odds) return {};
  return { reward: form.weighsLoss ? 1 : form.beta, gradient: form.beta };
}

/** [N, 3] f32 in the columns of `implicitTerms`. */
export function termsOf(form: FormWithBeta, replies: readonly ReplyTerms[]): Float32Array {
  const terms = new Float32Array(replies.length * implicitTerms.count);
  for (const [n, { tokens, reference, nll }] of replies.entries()) {
    const at = n * implicitTerms.count;
    terms[at + implicitTerms.scale] = scaleOf(form, tokens);
    terms[at + implicitTerms.reference] = form.reference ? reference : 0;
    terms[at + implicitTerms.nll] = nll;
  }
  return terms;
}

/**
 * The reward on the host. Without odds it has the bits of the device's.
 * @param logp log π(y|x) of so many tokens, as an f32 @param reference likewise
 */
export function implicitReward(form: FormWithBeta, logp: number, reference: number, tokens: number): number {
  const difference = Math.fround(logp - (form.reference ? reference : 0));
  const m = Math.fround(Math.fround(scaleOf(form, tokens)) * difference);
  const { reward } = oddsBetas(form);
  return reward === undefined ? m : Math.fround(reward * (m - Math.log(-Math.expm1(m))));
}
