/**
 * @file rmtrain itself. With "transfers" each run also uploads its activations and downloads its results, as a run of
 * onnxruntime-node has to; without, both stay on the device, as they do in training.
 */
import { type Gpu, openGpu } from "../../../src/gpu/gpu.ts";
import { layerNorm } from "../../../src/kernels/layer-norm.ts";
import { linear } from "../../../src/kernels/linear.ts";
import { rmsNorm } from "../../../src/kernels/rms-norm.ts";
import { softmax } from "../../../src/kernels/softmax.ts";
import { readTensor, type Tensor, uploadTensor } from "../../../src/tensor/tensor.ts";
import { eps } from "../cases.ts";
import type { CaseInput, Contestant, Prepared } from "../contestant.ts";
import { type HostTensor, tensorOf } from "../tensors.ts";
import { prepareBlock, prepareBlockGradient } from "./rmtrain-block.ts";
import { prepareStep } from "./rmtrain-step.ts";

export async function open(transfers?: string): Promise<Contestant> {
  const gpu = await openGpu();
  const how = { gpu, transfers: transfers === "transfers" };
  return {
    version: `rmtrain on ${gpu.facts.description}${how.transfers ? ", with transfers" : ""}`,
    prepare: (input) => prepare(how, input),
  };
}

export interface How {
  readonly gpu: Gpu;
  readonly transfers: boolean;
}

async function prepare(how: How, input: CaseInput): Promise<Prepared | undefined> {
  const { operation } = input.definition;
  switch (operation) {
    case "block":
      return await prepareBlock(how, input);
    case "block_gradient":
      return how.transfers ? undefined : await prepareBlockGradient(how.gpu, input);
    case "training_step":
      return how.transfers ? undefined : await prepareStep(how.gpu, input);
    default:
      return rowsToRows(how, tensorOf(input.inputs, "x"), operationOf(how.gpu, input));
  }
}

/** The operation on the device: its weights are there. */
function operationOf(gpu: Gpu, { definition, inputs }: CaseInput): (x: Tensor) => Tensor {
  const upload = (name: string) => {
    const { shape, values } = tensorOf(inputs, name);
    return uploadTensor(gpu, values, shape.at(-1) ?? 0, name, { persistent: true });
  };
  switch (definition.operation) {
    case "linear": {
      const weight = upload("weight");
      return (x) => linear(gpu, x, weight);
    }
    case "layer_norm": {
      const [weight, bias] = [upload("weight"), upload("bias")];
      return (x) => layerNorm(gpu, x, weight, bias, eps);
    }
    case "rms_norm": {
      const weight = upload("weight");
      return (x) => rmsNorm(gpu, x, weight, eps);
    }
    case "softmax":
      return (x) => softmax(gpu, x);
    default:
      throw new Error(`${definition.operation} is no operation on rows`);
  }
}

/** Times y = operation(x), both on the device or, with transfers, on the host. */
function rowsToRows({ gpu, transfers }: How, host: HostTensor, operation: (x: Tensor) => Tensor): Prepared {
  const cols = host.shape.at(-1) ?? 0;
  const upload = (persistent: boolean) => uploadTensor(gpu, host.values, cols, "x", { persistent });
  const resident = upload(true);
  const read = async (x: () => Tensor) => {
    using _scope = gpu.scope();
    const y = operation(x());
    return { shape: [y.rows, y.cols], values: await readTensor(gpu, y) };
  };
  const run = async () => {
    {
      using _scope = gpu.scope();
      operation(resident);
    }
    await gpu.finish();
  };
  return {
    run: transfers
      ? async () => {
          await read(() => upload(false));
        }
      : run,
    results: async () => new Map([["y", await read(() => resident)]]),
    release: () => gpu.release(resident.buffer),
  };
}
