/**
 * @file onnxruntime-node, with its WebGPU or its CPU provider. Weights are constants of the graph, so they are on the
 * device before the first run; the Node binding has no tensors on the device, so each run uploads x and downloads y.
 */
import { availableParallelism } from "node:os";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { CaseInput, Contestant, Prepared } from "../contestant.ts";
import { eps } from "../peer-case.ts";
import { type HostTensor, tensorOf, transposed } from "../tensors.ts";
import { OnnxGraph } from "./onnx.ts";
import { blockGraph } from "./onnx-block.ts";
import { packageVersion } from "./package-version.ts";

/** @param attention "plain": takes part in the block alone, with attention in separate operators */
export async function open(provider = "webgpu", attention = ""): Promise<Contestant> {
  const version = await packageVersion("onnxruntime-node");
  return {
    version: `onnxruntime-node ${version}, ${provider === "cpu" ? "CPU" : "WebGPU"} provider`,
    prepare: (input) => prepare({ provider, plain: attention === "plain" }, input),
  };
}

interface How {
  readonly provider: string;
  readonly plain: boolean;
}

async function prepare({ provider, plain }: How, input: CaseInput): Promise<Prepared | undefined> {
  if (plain && input.definition.operation !== "block") return undefined;
  const graph = await graphOf(input, plain);
  if (graph === undefined) return undefined;
  const session = await InferenceSession.create(graph.model.encode(), {
    executionProviders: [provider],
    intraOpNumThreads: availableParallelism(),
    logSeverityLevel: 3,
  });
  const x = new Tensor("float32", graph.x.values, [...graph.x.shape]);
  const run = async () => (await session.run({ x })).y;
  return {
    run: async () => {
      const y = await run();
      if (y === undefined) throw new Error("the graph gave nothing");
    },
    results: async () => {
      const y = await run();
      return new Map([["y", { shape: y?.dims ?? [], values: new Float32Array(y?.data as Float32Array) }]]);
    },
    release: () => session.release(),
  };
}

interface Graph {
  readonly model: OnnxGraph;
  readonly x: HostTensor;
}

/** The best graph that it has for the case; it has no gradients. */
async function graphOf(input: CaseInput, plain: boolean): Promise<Graph | undefined> {
  const { definition, inputs } = input;
  const { rows = 0, cols = 0, outputs = 0 } = definition.sizes;
  const model = new OnnxGraph();
  const x = () => tensorOf(inputs, "x");
  const weight = (name: string) => model.constant(name, tensorOf(inputs, name));
  const own = { outputs: ["y"] };
  switch (definition.operation) {
    case "linear":
      model.input("x", x().shape);
      model.constant("weight", transposed(tensorOf(inputs, "weight")));
      model.node("MatMul", ["x", "weight"], {}, own);
      model.output("y", [rows, outputs]);
      return { model, x: x() };
    case "layer_norm":
      model.input("x", x().shape);
      model.node(
        "LayerNormalization",
        ["x", weight("weight"), weight("bias")],
        { epsilon: { float: eps } },
        own,
      );
      model.output("y", [rows, cols]);
      return { model, x: x() };
    case "rms_norm":
      model.input("x", x().shape);
      model.node("SimplifiedLayerNormalization", ["x", weight("weight")], { epsilon: { float: eps } }, own);
      model.output("y", [rows, cols]);
      return { model, x: x() };
    case "softmax":
      model.input("x", x().shape);
      model.node("Softmax", ["x"], { axis: 1 }, own);
      model.output("y", [rows, cols]);
      return { model, x: x() };
    case "block":
      return await blockGraph(model, input, plain);
    default:
      return undefined;
  }
}
