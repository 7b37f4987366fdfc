/**
 * @file jax-js on its WebGPU device, every case one jitted function. Its arrays are counted: a use is a reference given
 * away, so what is used again is passed as `.ref`.
 */
import { join } from "node:path";
import { blockUntilReady, defaultDevice, grad, init, jit, nn, numpy as np } from "@jax-js/jax";
import type { CaseInput, Contestant, Prepared } from "../contestant.ts";
import { modelConfig, rotaryTables } from "../model.ts";
import { eps, type Operation } from "../peer-case.ts";
import { type HostTensor, readTensors, tensorOf, transposed } from "../tensors.ts";
import { packageVersion } from "./package-version.ts";
import { provideWebGpu } from "./webgpu-globals.ts";

type Named = { [name: string]: np.Array };

export async function open(): Promise<Contestant> {
  await provideWebGpu();
  const devices = await init();
  if (!devices.includes("webgpu")) throw new Error("its WebGPU device does not start");
  defaultDevice("webgpu");
  const version = await packageVersion("@jax-js/jax");
  return { version: `jax-js ${version}`, prepare };
}

const upload = ({ shape, values }: HostTensor) =>
  np.array(values as Float32Array<ArrayBuffer>).reshape([...shape]);

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
      const results = Object.values(work());
      await blockUntilReady(results);
      for (const result of results) result.dispose();
    },
    results: async () => {
      const results = new Map<string, HostTensor>();
      for (const [name, array] of Object.entries(work()))
        results.set(name, { shape: array.shape, values: (await array.data()) as Float32Array });
      return results;
    },
    release: () => {},
  };
}

function operation({ definition, inputs }: CaseInput): () => Named {
  const at = (name: string) => upload(tensorOf(inputs, name));
  const x = at("x");
  switch (definition.operation) {
    case "linear": {
      const weight = upload(transposed(tensorOf(inputs, "weight")));
      const f = jit((a: np.Array, b: np.Array) => np.matmul(a, b));
      return () => ({ y: f(x.ref, weight.ref) });
    }
    case "layer_norm": {
      const [weight, bias] = [at("weight"), at("bias")];
      const f = jit((a: np.Array, w: np.Array, b: np.Array) =>
        nn.standardize(a, -1, { epsilon: eps }).mul(w).add(b),
      );
      return () => ({ y: f(x.ref, weight.ref, bias.ref) });
    }
    case "rms_norm": {
      const weight = at("weight");
      const f = jit(rmsNorm);
      return () => ({ y: f(x.ref, weight.ref) });
    }
    default: {
      const f = jit((a: np.Array) => nn.softmax(a, -1));
      return () => ({ y: f(x.ref) });
    }
  }
}

function rmsNorm(x: np.Array, weight: np.Array): np.Array {
  const mean = np.mean(np.square(x.ref), -1, { keepdims: true });
  return x.div(np.sqrt(mean.add(eps))).mul(weight);
}

async function block({ definition, inputs }: CaseInput, dir: string): Promise<() => Named> {
  const { rows = 0 } = definition.sizes;
  const config = modelConfig(definition.sizes);
  const stored = await readTensors(join(dir, "model.safetensors"));
  const weights: Named = {};
  for (const [name, tensor] of stored)
    if (name !== "score.weight") weights[name] = upload(name.includes("proj") ? transposed(tensor) : tensor);
  const { cos, sin } = rotaryTables(config, rows);
  const tables: Named = { cos: upload(cos), sin: upload(sin) };
  const heads = config.num_attention_heads;
  const forward = (w: Named, t: Named) => layer(w, t, { rows, heads });
  const lend = (named: Named) =>
    Object.fromEntries(Object.entries(named).map(([name, array]) => [name, array.ref]));
  if (definition.operation === "block") {
    const f = jit(forward);
    return () => ({ y: f(lend(weights), lend(tables)) });
  }
  const dy = upload(tensorOf(inputs, "dy"));
  const gradients = jit(grad((w: Named, t: Named, d: np.Array) => np.sum(forward(w, t).mul(d))));
  return () => {
    const all = gradients(lend(weights), lend(tables), dy.ref) as Named;
    // Ours are stored [out, in].
    const stored = ([name, array]: [string, np.Array]) => [
      name,
      name.includes("proj") ? np.transpose(array) : array,
    ];
    return Object.fromEntries(Object.entries(all).map(stored)) as Named;
  };
}

/** Consumes what it is given. */
function layer(
  weights: Named,
  { cos, sin }: Named,
  { rows, heads }: { readonly rows: number; readonly heads: number },
): np.Array {
  const of = (name: string) => weights[`model.layers.0.${name}.weight`]!;
  const x = weights["model.embed_tokens.weight"]!;
  const apart = (y: np.Array) => np.transpose(y.reshape([rows, heads, -1]), [1, 0, 2]);
  const rotate = (y: np.Array) => {
    const [first, second] = np.split(y, 2, -1) as [np.Array, np.Array];
    const turned = first.ref.mul(cos!.ref).sub(second.ref.mul(sin!.ref));
    return np.concatenate([turned, second.mul(cos!.ref).add(first.mul(sin!.ref))], -1);
  };
  const normed = rmsNorm(x.ref, of("input_layernorm"));
  const project = (which: string) => apart(np.matmul(normed.ref, of(`self_attn.${which}_proj`)));
  const [q, k, v] = [rotate(project("q")), rotate(project("k")), project("v")];
  normed.dispose();
  const size = q.shape[2] ?? 1;
  const mask = np
    .tril(np.ones([rows, rows]))
    .sub(1)
    .mul(1e9);
  const scores = np
    .matmul(q, np.transpose(k, [0, 2, 1]))
    .mul(size ** -0.5)
    .add(mask);
  const mixed = np.transpose(np.matmul(nn.softmax(scores, -1), v), [1, 0, 2]).reshape([rows, heads * size]);
  const middle = x.add(np.matmul(mixed, of("self_attn.o_proj")));
  const again = rmsNorm(middle.ref, of("post_attention_layernorm"));
  const gate = np.matmul(again.ref, of("mlp.gate_proj"));
  const inner = nn.silu(gate).mul(np.matmul(again, of("mlp.up_proj")));
  const sum = middle.add(np.matmul(inner, of("mlp.down_proj")));
  cos!.dispose();
  sin!.dispose();
  return rmsNorm(sum, weights["model.norm.weight"]!);
}
