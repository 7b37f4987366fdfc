/**
 * @file A Llama block in rmtrain: a model of one layer, from the embedding's rows to the final norm. Its input comes by
 * ids, each row of the embedding once, so that the embedding's gradient is the gradient of the block's input.
 */
import { pack } from "../../../src/data/pack.ts";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { loadBackbone } from "../../../src/model/load.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import { TrainableModel } from "../../../src/model/trainable.ts";
import { readTensor, uploadTensor } from "../../../src/tensor/tensor.ts";
import type { CaseInput, Prepared } from "../contestant.ts";
import { type HostTensor, tensorOf } from "../tensors.ts";
import type { How } from "./rmtrain.ts";

const everyRow = ({ definition }: CaseInput) =>
  pack([{ sequences: [Int32Array.from({ length: definition.sizes.rows ?? 0 }, (_, i) => i)] }]);

export async function prepareBlock({ gpu, modes }: How, input: CaseInput): Promise<Prepared> {
  await using folder = await openModelFolder(input.model ?? "");
  const { backbone } = await loadBackbone(gpu, folder);
  const batch = everyRow(input);
  const read = async () => {
    using _scope = gpu.scope();
    const y = backbone.forward(batch, batch.rows);
    return { shape: [y.rows, y.cols], values: await readTensor(gpu, y) };
  };
  const run = async () => {
    {
      using _scope = gpu.scope();
      backbone.forward(batch, batch.rows);
    }
    await gpu.finish();
  };
  return {
    run: modes.has("transfers") ? async () => void (await read()) : run,
    results: async () => new Map([["y", await read()]]),
    release: () => backbone.release(),
  };
}

export async function prepareBlockGradient(gpu: Gpu, input: CaseInput): Promise<Prepared> {
  await using folder = await openModelFolder(input.model ?? "");
  const model = await TrainableModel.load(gpu, folder, { trainable: "full" });
  const batch = everyRow(input);
  const dy = tensorOf(input.inputs, "dy");
  const run = async () => {
    model.arena.clear("gradient");
    {
      using tape = model.tape();
      const hidden = model.backbone.forward(batch, batch.rows, { tape });
      // The tape overwrites what it begins with.
      const seed = uploadTensor(gpu, dy.values, dy.shape[1] ?? 0, "dy");
      tape.backward([[hidden, seed]]);
    }
    await gpu.finish();
  };
  return {
    run,
    results: async () => {
      await run();
      const gradients = new Map<string, HostTensor>();
      for (const parameter of model.parameters) {
        const shapes = new Map(parameter.stored.map(({ name, shape }) => [name, shape]));
        for (const [name, values] of await model.readParameter(parameter, "gradient"))
          gradients.set(name, { shape: shapes.get(name) ?? [], values });
      }
      return gradients;
    },
    release: () => model.release(),
  };
}
