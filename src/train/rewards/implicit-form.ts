/**
 * @file Forms of the implicit reward, as data: how the log-probabilities of a reply's tokens become its reward. Every form
 * goes with every loss; what other systems call a loss of their own ("SimPO", "sigmoid_norm") is one of these beside the
 * logistic loss.
 *
 *     L = Σ log π(token), or its mean per token;  ρ = L - L_ref, or L, or log(exp L / (1 - exp L));  r = β ρ
 */

export const implicitFormNames = ["dpo", "norm", "simpo", "cpo", "orpo", "lm", "cringe"] as const;
export type ImplicitFormName = (typeof implicitFormNames)[number];

export interface ImplicitForm {
  readonly name: ImplicitFormName;
  /** Whether the reference's log-probabilities are subtracted. */
  readonly reference: boolean;
  /** Log-probabilities of a reply's tokens added up, or their mean. */
  readonly normalise: "sum" | "mean";
  /** Log-odds of exp(mean log-probability) in its place; only with `mean` and without a reference. */
  readonly odds: boolean;
  /** Default of β, what the reward is multiplied by. */
  readonly beta: number;
  /** Default of γ, by which chosen rewards should exceed rejected ones: added to every pair's margin. */
  readonly gamma: number;
  /** Default of the weight of the chosen reply's negative log-likelihood (mean per token), added to the preference loss. */
  readonly nll: number;
  /** Whether β multiplies the preference loss in place of the reward (ORPO's λ). */
  readonly weighsLoss: boolean;
  readonly paper: string;
  readonly formula: string;
}

const summed = { normalise: "sum", odds: false, gamma: 0, nll: 0, weighsLoss: false } as const;

export const implicitForms: Readonly<Record<ImplicitFormName, ImplicitForm>> = {
  dpo: {
    ...summed,
    name: "dpo",
    reference: true,
    beta: 0.1,
    paper: "Rafailov et al. 2023, arXiv 2305.18290, eq. 5",
    formula: "β (log π(y|x) - log π_ref(y|x))",
  },
  norm: {
    ...summed,
    name: "norm",
    reference: true,
    normalise: "mean",
    beta: 0.1,
    paper: "TRL's sigmoid_norm and its length-averaged ipo",
    formula: "β (log π(y|x) - log π_ref(y|x)) / |y|",
  },
  simpo: {
    ...summed,
    name: "simpo",
    reference: false,
    normalise: "mean",
    beta: 2,
    gamma: 1,
    paper: "Meng et al. 2024, arXiv 2405.14734, eq. 6",
    formula: "β log π(y|x) / |y|, chosen ahead by γ",
  },
  cpo: {
    ...summed,
    name: "cpo",
    reference: false,
    beta: 0.1,
    nll: 1,
    paper: "Xu et al. 2024, arXiv 2401.08417",
    formula: "β log π(y|x), beside α NLL(y_w)",
  },
  orpo: {
    ...summed,
    name: "orpo",
    reference: false,
    normalise: "mean",
    odds: true,
    beta: 0.1,
    nll: 1,
    weighsLoss: true,
    paper: "Hong et al. 2024, arXiv 2403.07691, eq. 6 and 7",
    formula: "log(p/(1 - p)), log p = log π(y|x) / |y|; NLL(y_w) + β loss",
  },
  cringe: {
    ...summed,
    name: "cringe",
    reference: false,
    beta: 1,
    paper: "after Xu et al. 2023, arXiv 2312.16682",
    formula: "log π(y|x), and penalties of the rejected reply's tokens",
  },
  lm: {
    ...summed,
    name: "lm",
    reference: false,
    beta: 1,
    paper: "a language model's own log-likelihood",
    formula: "log π(text), every token of it",
  },
};
