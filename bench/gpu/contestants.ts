/** @file The contestants on a GPU; their names say what is compared with what (targets.ts). */
import { node, python } from "../peers/contestants.ts";
import type { Command } from "../peers/process.ts";

export const names = {
  ours: "rmtrain f32",
  unchecked: "rmtrain f32, no robustness",
  ours16: "rmtrain f16 class",
  torch: "PyTorch f32",
  torch16: "PyTorch f16",
} as const;

/** Of 16-bit factors, relative to results in f32; of gradients that went through many layers of them. */
const tolerance = 0.05;

export function gpuContestants(device: "cuda" | "cpu"): Command[] {
  return [
    node(names.ours, "rmtrain"),
    node(names.unchecked, "rmtrain", "unchecked"),
    { ...node(names.ours16, "rmtrain", "f16"), tolerance },
    python(names.torch, device, "f32"),
    { ...python(names.torch16, device, "f16"), tolerance },
  ];
}
