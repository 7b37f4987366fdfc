/** @file The contestants and how their processes start. The first is the one that others are compared with. */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "./process.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** As this file: compiled, or as it was written. */
const extension = extname(import.meta.url);
const loader = extension === ".ts" ? ["--import", "tsx"] : [];

export const node = (name: string, module: string, ...args: string[]): Command => ({
  name,
  file: process.execPath,
  args: [...loader, path(`serve${extension}`), path(`contestants/${module}${extension}`), ...args],
});

export const python = (name: string, ...args: string[]): Command => ({
  name,
  file: process.env.RMTRAIN_PYTHON ?? "python3",
  args: [path("contestants/torch_peer.py"), ...args],
  // Threads that wait for work would take the cores of whoever's turn it is: OpenBLAS's do for up to 0.1 s after each product
  // (2^26 cycles and more), unless told to sleep sooner.
  env: { OMP_WAIT_POLICY: "passive", OPENBLAS_THREAD_TIMEOUT: "10", PYTHONDONTWRITEBYTECODE: "1" },
});

export const contestants = (): Command[] => [
  node("rmtrain", "rmtrain"),
  node("rmtrain + transfers", "rmtrain", "transfers"),
  node("ort webgpu", "onnxruntime", "webgpu"),
  node("ort webgpu, plain attention", "onnxruntime", "webgpu", "plain"),
  node("jax-js", "jax"),
  node("tfjs webgpu", "tfjs"),
  node("ort cpu", "onnxruntime", "cpu"),
  python("pytorch cpu", "cpu", "f32"),
];
