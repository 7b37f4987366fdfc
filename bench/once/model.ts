/** @file A Llama of a given shape with random weights, in a folder that is removed at the end; what it costs is all that counts. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LlamaShape, llamaConfig, randomLlama } from "../../scripts/lib/llama.ts";
import { fromFloat32, writeSafetensors } from "../../src/model/safetensors/index.ts";

/** 2.2 million weights beside the embedding. */
export const defaultShape: LlamaShape = {
  vocabulary: 2048,
  width: 288,
  layers: 2,
  heads: 6,
  mlpWidth: 768,
  positions: 2048,
};

export interface TemporaryFolder extends Disposable {
  readonly dir: string;
}

export function temporaryFolder(): TemporaryFolder {
  const dir = mkdtempSync(join(tmpdir(), "rmtrain-once-"));
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

export async function syntheticModel(
  shape: LlamaShape = defaultShape,
  dtype: "F32" | "BF16" = "F32",
): Promise<TemporaryFolder> {
  const folder = temporaryFolder();
  const tensors = randomLlama(shape, { std: 0.02, scaleResiduals: true, seed: 0 });
  const config = { ...llamaConfig(shape, 0.02, { eos: 0, pad: 1 }) };
  writeFileSync(join(folder.dir, "config.json"), JSON.stringify(config));
  await writeSafetensors(
    join(folder.dir, "model.safetensors"),
    tensors.map(({ name, shape: size, values }) => ({
      name,
      dtype,
      shape: size,
      data: () => fromFloat32(values, dtype),
    })),
  );
  return folder;
}

/** [length] ids of no meaning, others for every seed; none is a special token's. */
export function someIds(length: number, seed: number, vocabulary = defaultShape.vocabulary): Int32Array {
  return Int32Array.from({ length }, (_, i) => 2 + ((i * 7919 + (seed + 1) * 104_729) % (vocabulary - 2)));
}
