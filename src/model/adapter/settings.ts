/** @file What a LoRA adapter (Hu et al. 2021, arXiv 2106.09685) is made of, whatever the model. */
import { InputError } from "../../errors.ts";

/** Every linear layer of the decoder, without heads. */
export const allLinear = "all-linear";

/** Values by PEFT's patterns of module names; the first that matches a module wins. */
export type ByPattern = Readonly<Record<string, number>>;

export interface LoraSettings {
  /** Rank of the updates. */
  readonly r: number;
  /** The update is scaled by alpha / r. */
  readonly alpha: number;
  /** Probability that an input of A is dropped while training. */
  readonly dropout: number;
  /** Ends of module names ("q_proj", "mlp.c_proj"), "all-linear", or a regular expression of whole names. */
  readonly targets: readonly string[] | string;
  /** Scale by alpha / sqrt(r) (Kalajdzievski 2023, arXiv 2312.03732). */
  readonly rslora?: boolean;
  /** Ranks of modules that differ from `r`. */
  readonly rankPattern?: ByPattern;
  readonly alphaPattern?: ByPattern;
  /** As `targets`: modules that get no update. */
  readonly excluded?: readonly string[] | string;
  /** Numbers of the layers that get updates. Default: all. */
  readonly layers?: readonly number[];
}

/** r and alpha as in TRL's ModelConfig. */
export const loraDefaults: LoraSettings = { r: 16, alpha: 32, dropout: 0, targets: allLinear };

/** @throws InputError naming the setting */
export function checkLoraSettings({ r, alpha, dropout }: LoraSettings): void {
  if (!Number.isSafeInteger(r) || r < 1) throw new InputError(`LoRA's r is a whole number above 0, not ${r}`);
  if (!(alpha > 0 && Number.isFinite(alpha)))
    throw new InputError(`LoRA's alpha is a number above 0, not ${alpha}`);
  if (!(dropout >= 0 && dropout < 1))
    throw new InputError(`LoRA's dropout is a share from 0 up to 1, not ${dropout}`);
}
