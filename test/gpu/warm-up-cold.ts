/** @file Warms three kernels up in a process of its own and prints what was told meanwhile. */
import { openGpu } from "../../src/gpu/gpu.ts";
import { warmUp } from "../../src/gpu/warm-up.ts";
import { catalogue } from "../../src/kernels/catalogue.ts";

using gpu = await openGpu();
const names = ["linear_tile", "add", "copy"];
const pipelines = names.map((name) => catalogue.find(({ kernel }) => kernel.name === name)!);
const progress: [number, number][] = [];
await warmUp(gpu, pipelines, (done, total) => progress.push([done, total]));
process.stdout.write(JSON.stringify({ software: gpu.facts.software, progress }));
