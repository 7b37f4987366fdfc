/**
 * @file Where a training step's time goes, kernel by kernel: each kernel's dispatches of one step are done again by
 * themselves, in processor seconds of all threads, which unlike the clock don't count what other programs do. So it is
 * meant for CPU adapters. `rmtrain bench --train` says what a step costs as a whole.
 *
 *   npx tsx bench/training-step.ts [HIDDEN [LAYERS [LENGTH [PAIRS [bt|dpo]]]]]      default: 288 6 128 8 bt
 */
import { type Gpu, openGpu } from "../src/gpu/gpu.ts";
import type { KernelSource } from "../src/gpu/kernel-source.ts";
import type { Dispatch } from "../src/gpu/recorder.ts";
import { benchSetting } from "../src/train/bench/setting.ts";
import { TrainingCase } from "../src/train/bench/training-case.ts";

const [hidden = 288, layers = 6, length = 128, batch = 8] = process.argv.slice(2, 6).map(Number);
const objective = process.argv[6] === "dpo" ? "dpo" : "bt";
const runs = 3;

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** The fewest processor seconds of several runs: what was least disturbed. */
async function measure(gpu: Gpu, run: () => unknown): Promise<number> {
  const seconds: number[] = [];
  for (let i = 0; i < runs; i++) {
    const begin = cpuSeconds();
    await run();
    await gpu.finish();
    seconds.push(cpuSeconds() - begin);
  }
  return Math.min(...seconds);
}

type AnyDispatch = Dispatch<KernelSource>;

/** What `run` dispatches, by kernel. */
async function dispatchesOf(gpu: Gpu, run: () => unknown): Promise<Map<string, (() => void)[]>> {
  const { recorder } = gpu;
  const dispatch = recorder.dispatch.bind(recorder);
  const all = new Map<string, (() => void)[]>();
  recorder.dispatch = (kernel: KernelSource, d: AnyDispatch) => {
    dispatch(kernel, d);
    const again = () => {
      // A later run of the step may hand the buffers out anew; what they hold does not change the time.
      for (const { buffer } of d.bindings) buffer.live = true;
      dispatch(kernel, d);
    };
    all.set(kernel.name, [...(all.get(kernel.name) ?? []), again]);
  };
  await run();
  recorder.dispatch = dispatch;
  return all;
}

const gpu = await openGpu();
const heads = Math.max(1, Math.floor(hidden / 48));
const intermediate = 4 * Math.ceil((2 * hidden) / 3);
const shape = { hidden, layers, heads, kvHeads: heads, intermediate, vocabulary: 4096, length, batch };
const options = { objective, batchTokens: 4096, gradientCheckpointing: false } as const;
const training = await TrainingCase.open(gpu, { ...shape, dtype: "f32" }, options);
const step = () => training.repeat(1);
await step();
const whole = await measure(gpu, step);
const { adapter, machine, date } = benchSetting(gpu);
console.log(`${JSON.stringify({ ...shape, objective })}\n\n${adapter}; ${machine}; ${date}\n`);
console.log(`${training.tokens} tokens in ${whole.toFixed(3)} processor seconds\n`);
const rows: { name: string; count: number; seconds: number }[] = [];
for (const [name, again] of await dispatchesOf(gpu, step)) {
  const seconds = await measure(gpu, () => {
    for (const dispatch of again) dispatch();
  });
  rows.push({ name, count: again.length, seconds });
}
const total = rows.reduce((sum, { seconds }) => sum + seconds, 0);
console.log("| kernel | ms | share | dispatches |\n| --- | --- | --- | --- |");
for (const { name, count, seconds } of rows.sort((a, b) => b.seconds - a.seconds)) {
  const share = (100 * seconds) / total;
  console.log(`| ${name} | ${(1e3 * seconds).toFixed(1)} | ${share.toFixed(1)} % | ${count} |`);
}
gpu.close();
