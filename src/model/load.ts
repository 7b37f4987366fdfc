/** @file From an opened model folder to a backbone on the device. */
import type { Gpu } from "../gpu/gpu.ts";
import { copy } from "../kernels/copy.ts";
import type { PackedBatch } from "../kernels/packed-batch.ts";
import { rowsOfEveryChoice } from "../kernels/variants.ts";
import type { Tape } from "../tensor/tape.ts";
import { type AttachedAdapter, attachAdapter } from "./adapter/attach.ts";
import type { Adapter } from "./adapter/open-adapter.ts";
import { Backbone } from "./backbone.ts";
import type { ModelFolder } from "./model-folder.ts";
import { WeightLoader } from "./weight-loader.ts";
import { loadDecoder } from "./weights.ts";

export interface LoadedBackbone {
  readonly backbone: Backbone;
  /** Names of the checkpoint's tensors that nothing asked for. */
  readonly unused: readonly string[];
  /** Where one was asked for; released before the backbone. */
  readonly adapter: AttachedAdapter | undefined;
}

/**
 * Streams the weights of the decoder to the device; heads are not loaded.
 * @param adapter whose updates every forward pass adds
 * @throws InputError naming missing tensors; OutOfMemoryError naming the tensor that did not fit
 */
export async function loadBackbone(
  gpu: Gpu,
  { checkpoint, config }: ModelFolder,
  adapter?: Adapter,
): Promise<LoadedBackbone> {
  const loader = new WeightLoader(gpu, checkpoint, config);
  const weights = await loadDecoder(loader, config).catch((error: unknown) => {
    loader.abandon();
    throw error;
  });
  const backbone = new Backbone(gpu, config, weights);
  let attached: AttachedAdapter | undefined;
  try {
    attached = adapter && attachAdapter(gpu, backbone, adapter);
    // Short and long batches may take different variants of a kernel.
    for (const rows of rowsOfEveryChoice) await gpu.warm(() => backbone.forward(oneTokenTexts(rows), rows));
  } catch (error) {
    attached?.release();
    backbone.release();
    throw error;
  }
  return { backbone, unused: loader.unused, adapter: attached };
}

/** Builds the pipelines of a training step's forward and backward passes. @param begin a tape of the model's parameters */
export async function warmBackward(backbone: Backbone, begin: () => Tape): Promise<void> {
  const { gpu } = backbone;
  for (const rows of rowsOfEveryChoice) {
    await gpu.warm(() => {
      using tape = begin();
      const hidden = backbone.forward(oneTokenTexts(rows), rows, { tape });
      tape.backward([[hidden, copy(gpu, hidden)]]);
    });
  }
}

/** A batch of `rows` texts of one token each; for building pipelines. */
function oneTokenTexts(rows: number): PackedBatch {
  return {
    rows,
    ids: new Int32Array(rows),
    positions: new Int32Array(rows),
    segments: Int32Array.from({ length: 4 * rows }, (_, i) => [0, 0, Math.floor(i / 4), 1][i % 4] ?? 0),
    sequenceSegments: Int32Array.from({ length: rows }, (_, n) => n),
    maxPath: 1,
    paddedTokens: rows,
  };
}
