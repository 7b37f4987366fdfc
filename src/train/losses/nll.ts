/**
 * @file The negative log-likelihood of texts, per token: a language model's own loss. Its rewards are log π(text); the
 * gradient is the same for each. No preference is in it; it makes the bases and references that preferences begin with.
 */
import { textLoss } from "../../kernels/text-loss.ts";
import type { TextLoss } from "./loss.ts";

export const nll: TextLoss = {
  name: "nll",
  kind: "texts",
  aliases: [],
  paper: "Bengio, Ducharme, Vincent & Jauvin 2003, JMLR 3, section 2",
  formula: "-r / tokens, r = log π(text), over all tokens of the step",
  reads: [],
  differences: false,
  record: textLoss,
};
