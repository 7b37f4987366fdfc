/**
 * @file What a tuner has to measure for a model: every choice that scoring with it and training it ask for. Found by
 * building one layer of its shape with made-up weights and recording passes of a few and of many rows.
 */
import { OutOfMemoryError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { observeTargets } from "../../kernels/tuning/observe.ts";
import type { TuningTarget } from "../../kernels/tuning/table.ts";
import { loraDefaults } from "../adapter/settings.ts";
import type { ModelConfig } from "../config.ts";
import { loadBackbone } from "../load.ts";
import { syntheticFolderOf } from "../synthetic.ts";
import { TrainableModel, type TrainableOptions } from "../trainable.ts";
import { rehearseEveryChoice } from "./every-choice.ts";

export interface TunedModel {
  readonly config: ModelConfig;
  /** How its weights are stored: one entry for each way that is to be measured. */
  readonly dtypes: readonly ("f32" | "f16" | "bf16")[];
}

/** Neither says anything about a choice: the vocabulary's kernels have no variants. */
const vocabulary = 64;
const positions = 64;

/** @returns each target once */
export async function modelTargets(gpu: Gpu, { config, dtypes }: TunedModel): Promise<TuningTarget[]> {
  const layer: ModelConfig = {
    ...config,
    layers: 1,
    vocabSize: vocabulary,
    maxPositions: Math.min(config.maxPositions, positions),
  };
  const learning: readonly TrainableOptions[] = [
    { trainable: "full" },
    { trainable: "lora", lora: loraDefaults, seed: 0 },
  ];
  return observeTargets(gpu, async () => {
    for (const dtype of dtypes) {
      const folder = syntheticFolderOf(layer, dtype);
      await whereItFits(async () => {
        const { backbone } = await loadBackbone(gpu, folder);
        rehearseEveryChoice(backbone);
        backbone.release();
      });
      for (const options of learning) {
        await whereItFits(async () => {
          using model = await TrainableModel.load(gpu, folder, options);
          rehearseEveryChoice(model.backbone, () => model.tape());
        });
      }
    }
  });
}

/** What one layer has no memory for, the whole model has none for. */
async function whereItFits(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error;
  }
}
