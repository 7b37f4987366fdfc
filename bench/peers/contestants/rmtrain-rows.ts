/** @file rmtrain's operations that make rows of rows. */
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { attention, attentionWithLse, uploadForest } from "../../../src/kernels/attention.ts";
import { attentionBackward, uploadForestGradient } from "../../../src/kernels/attention-gradient.ts";
import { oneSequence } from "../../../src/kernels/bench/inputs.ts";
import { layerNorm } from "../../../src/kernels/layer-norm.ts";
import { linear } from "../../../src/kernels/linear.ts";
import { rmsNorm } from "../../../src/kernels/rms-norm.ts";
import { softmax } from "../../../src/kernels/softmax.ts";
import { swiglu } from "../../../src/kernels/swiglu.ts";
import { readTensor, type Tensor, uploadTensor } from "../../../src/tensor/tensor.ts";
import type { CaseInput, Prepared } from "../contestant.ts";
import { eps } from "../peer-case.ts";
import { tensorOf } from "../tensors.ts";
import type { How } from "./rmtrain.ts";

export function prepareRows({ gpu, modes }: How, input: CaseInput): Prepared {
  const { repeats = 1 } = input.definition.sizes;
  const host = tensorOf(input.inputs, "x");
  const uploaded: Tensor[] = [];
  const keep = (name: string) => {
    const { shape, values } = tensorOf(input.inputs, name);
    const tensor = uploadTensor(gpu, values, shape.at(-1) ?? 0, name, { persistent: true });
    uploaded.push(tensor);
    return tensor;
  };
  const resident = keep("x");
  const operation = operationOf(gpu, input, keep);
  const read = async (x: () => Tensor) => {
    using _scope = gpu.scope();
    const y = operation(x());
    return { shape: [y.rows, y.cols], values: await readTensor(gpu, y) };
  };
  const run = async () => {
    for (let i = 0; i < repeats; i++) {
      using _scope = gpu.scope();
      operation(resident);
    }
    await gpu.finish();
  };
  const runWithTransfers = async () => {
    await read(() => uploadTensor(gpu, host.values, host.shape.at(-1) ?? 0, "x"));
  };
  return {
    run: modes.has("transfers") ? runWithTransfers : run,
    results: async () => new Map([["y", await read(() => resident)]]),
    release: () => {
      for (const { buffer } of uploaded) gpu.release(buffer);
    },
  };
}

/** The operation on the device. @param keep uploads an input that stays there */
function operationOf(
  gpu: Gpu,
  { definition }: CaseInput,
  keep: (name: string) => Tensor,
): (x: Tensor) => Tensor {
  const { rows = 0, heads = 0, headDim = 0 } = definition.sizes;
  const options = { heads, kvHeads: heads, headDim, scale: headDim ** -0.5 };
  switch (definition.operation) {
    case "linear": {
      const weight = keep("weight");
      return (x) => linear(gpu, x, weight);
    }
    case "layer_norm": {
      const [weight, bias] = [keep("weight"), keep("bias")];
      return (x) => layerNorm(gpu, x, weight, bias, eps);
    }
    case "rms_norm": {
      const weight = keep("weight");
      return (x) => rmsNorm(gpu, x, weight, eps);
    }
    case "softmax":
      return (x) => softmax(gpu, x);
    case "swiglu":
      return (x) => swiglu(gpu, x);
    case "attention": {
      const forest = uploadForest(gpu, oneSequence(rows), rows);
      return (x) => attention(gpu, x, forest, options);
    }
    case "attention_gradient": {
      const dy = keep("dy");
      const forest = uploadForest(gpu, oneSequence(rows), rows);
      const tables = uploadForestGradient(gpu, oneSequence(rows), rows);
      return (qkv) =>
        attentionBackward(
          gpu,
          { dy, qkv, ...attentionWithLse(gpu, qkv, forest, options) },
          forest,
          tables,
          options,
        );
    }
    default:
      throw new Error(`${definition.operation} is no operation on rows`);
  }
}
