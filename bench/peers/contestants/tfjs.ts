/** @file TensorFlow.js with its WebGPU backend. It has no fused norm or attention: those are composed of its operations. */
import { createRequire } from "node:module";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type { CaseInput, Contestant, Prepared } from "../contestant.ts";
import { modelConfig, rotaryTables } from "../model.ts";
import { eps, type Operation } from "../peer-case.ts";
import { type HostTensor, readTensors, tensorOf, transposed } from "../tensors.ts";
import { provideWebGpu } from "./webgpu-globals.ts";

/** What of the backend waits for the device; dataSync would, but copies too. */
interface Backend {
  readonly device: GPUDevice;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

type Named = Readonly<Record<string, tf.Tensor>>;

export async function open(): Promise<Contestant> {
  await provideWebGpu();
  await import("@tensorflow/tfjs-backend-webgpu");
  // Its bundle for Node lacks them; the registry is one for the process. Only require finds what this file imports.
  createRequire(import.meta.url)("@tensorflow/tfjs-core/dist/register_all_gradients.js");
  if (!(await tf.setBackend("webgpu"))) throw new Error("its WebGPU backend does not start");
  return { version: `tfjs-backend-webgpu ${tf.version_core}`, prepare };
}

async function finish(): Promise<void> {
  const backend = tf.backend() as unknown as Backend;
  backend.endComputePassEncoder();
  backend.submitQueue();
  await backend.device.queue.onSubmittedWorkDone();
}

const upload = ({ shape, values }: HostTensor) => tf.tensor(values, [...shape], "float32");

const operations: ReadonlySet<Operation> = new Set([
  "linear",
  "layer_norm",
  "rms_norm",
  "softmax",
  "block",
  "block_gradient",
]);

async function prepare(input: CaseInput): Promise<Prepared | undefined> {
  if (!operations.has(input.definition.operation)) return undefined;
  const work = input.model === undefined ? operation(input) : await block(input, input.model);
  return {
    run: async () => {
      tf.dispose(tf.tidy(work));
      await finish();
    },
    results: async () => {
      const results = new Map<string, HostTensor>();
      for (const [name, tensor] of Object.entries(tf.tidy(work)))
        results.set(name, { shape: tensor.shape, values: (await tensor.data()) as Float32Array });
      return results;
    },
    release: () => tf.disposeVariables(),
  };
}

function operation({ definition, inputs }: CaseInput): () => Named {
  const at = (name: string) => upload(tensorOf(inputs, name));
  const x = at("x") as tf.Tensor2D;
  switch (definition.operation) {
    case "linear": {
      const weight = upload(transposed(tensorOf(inputs, "weight"))) as tf.Tensor2D;
      return () => ({ y: tf.matMul(x, weight) });
    }
    case "layer_norm": {
      const [weight, bias] = [at("weight"), at("bias")];
      return () => {
        const { mean, variance } = tf.moments(x, -1, true);
        const normed = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, eps)));
        return { y: tf.add(tf.mul(normed, weight), bias) };
      };
    }
    case "rms_norm": {
      const weight = at("weight");
      return () => ({ y: rmsNorm(x, weight) });
    }
    default:
      return () => ({ y: tf.softmax(x) });
  }
}

function rmsNorm(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const mean = tf.mean(tf.square(x), -1, true);
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(mean, eps))), weight);
}

async function block({ definition, inputs }: CaseInput, dir: string): Promise<() => Named> {
  const { rows = 0 } = definition.sizes;
  const config = modelConfig(definition.sizes);
  const stored = await readTensors(join(dir, "model.safetensors"));
  const weights: Record<string, tf.Tensor> = {};
  for (const [name, tensor] of stored)
    if (name !== "score.weight") weights[name] = upload(name.includes("proj") ? transposed(tensor) : tensor);
  const { cos, sin } = rotaryTables(config, rows);
  const tables = { cos: upload(cos), sin: upload(sin) };
  const mask = tf.mul(tf.sub(tf.linalg.bandPart(tf.ones([rows, rows]), -1, 0), 1), 1e9);
  const heads = config.num_attention_heads;
  const forward = (w: Named) => layer(w, { rows, heads, mask, ...tables });
  if (definition.operation === "block") return () => ({ y: forward(weights) });
  const names = Object.keys(weights);
  const dy = upload(tensorOf(inputs, "dy"));
  const gradients = tf.grads((...all) =>
    forward(Object.fromEntries(names.map((name, i) => [name, all[i]!]))),
  );
  return () => {
    const all = gradients(Object.values(weights), dy);
    // Ours are stored [out, in].
    return Object.fromEntries(
      names.map((name, i) => [name, name.includes("proj") ? tf.transpose(all[i]!) : all[i]!]),
    );
  };
}

interface Shared {
  readonly rows: number;
  readonly heads: number;
  readonly cos: tf.Tensor;
  readonly sin: tf.Tensor;
  readonly mask: tf.Tensor;
}

function layer(weights: Named, { rows, heads, cos, sin, mask }: Shared): tf.Tensor {
  const of = (name: string) => weights[`model.layers.0.${name}.weight`]!;
  const x = weights["model.embed_tokens.weight"]!;
  const linear = (input: tf.Tensor, name: string) => tf.matMul(input as tf.Tensor2D, of(name) as tf.Tensor2D);
  const apart = (input: tf.Tensor) => tf.transpose(tf.reshape(input, [rows, heads, -1]), [1, 0, 2]);
  const rotate = (input: tf.Tensor) => {
    const [first, second] = tf.split(input, 2, -1) as [tf.Tensor, tf.Tensor];
    const turned = tf.sub(tf.mul(first, cos), tf.mul(second, sin));
    return tf.concat([turned, tf.add(tf.mul(second, cos), tf.mul(first, sin))], -1);
  };
  const normed = rmsNorm(x, of("input_layernorm"));
  const project = (which: string) => apart(linear(normed, `self_attn.${which}_proj`));
  const [q, k, v] = [rotate(project("q")), rotate(project("k")), project("v")];
  const size = q.shape[2] ?? 1;
  const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), size ** -0.5), mask);
  const mixed = tf.transpose(tf.matMul(tf.softmax(scores), v), [1, 0, 2]);
  const middle = tf.add(x, linear(tf.reshape(mixed, [rows, heads * size]), "self_attn.o_proj"));
  const again = rmsNorm(middle, of("post_attention_layernorm"));
  const gate = linear(again, "mlp.gate_proj");
  const inner = tf.mul(tf.mul(gate, tf.sigmoid(gate)), linear(again, "mlp.up_proj"));
  return rmsNorm(tf.add(middle, linear(inner, "mlp.down_proj")), weights["model.norm.weight"]!);
}
