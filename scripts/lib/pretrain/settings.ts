/** @file What the pretrained base is made of: two sizes, one for the CPUs of a laptop, one for a GPU. */
import type { Initialisation, LlamaShape } from "../llama.ts";

export interface PretrainSettings {
  readonly shape: LlamaShape;
  readonly initialisation: Initialisation;
  /** Tokens of a sequence at most. */
  readonly maxLength: number;
  /** Sequences of a step. */
  readonly batchSize: number;
  readonly steps: number;
  readonly lr: number;
  readonly warmupRatio: number;
  readonly weightDecay: number;
  readonly seed: number;
  /** Share of the training text's blocks on which the loss is watched. */
  readonly watched: number;
}

const common = {
  initialisation: { std: 0.02, scaleResiduals: true, seed: 0 },
  maxLength: 512,
  lr: 3e-3,
  warmupRatio: 0.05,
  weightDecay: 0.1,
  seed: 0,
  watched: 0.005,
};

export const sizes = {
  /** 1.05 million parameters, 3 million tokens: under an hour on two cores. */
  small: {
    ...common,
    shape: { vocabulary: 2048, width: 128, layers: 4, heads: 4, mlpWidth: 344, positions: 1024 },
    batchSize: 4,
    steps: 1850,
  },
  /** 4.5 million parameters, which bf16 keeps below 10 MB, and 80 million tokens: for a GPU. */
  large: {
    ...common,
    shape: { vocabulary: 2048, width: 256, layers: 5, heads: 8, mlpWidth: 688, positions: 1024 },
    batchSize: 64,
    steps: 2800,
  },
} as const satisfies Readonly<Record<string, PretrainSettings>>;

export type SizeName = keyof typeof sizes;
