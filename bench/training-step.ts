/**
 * @file Where a training step's time goes: one step of a whole causal LM (forward, log-probabilities of the tokens,
 * backward, AdamW), in processor seconds of all threads, which unlike the clock don't count what other programs do. So it
 * is meant for CPU adapters. Then every kernel's dispatches of one step again, kernel by kernel.
 *
 *   npx tsx bench/training-step.ts [MODEL [SEQUENCES [LENGTH]]]      default: models/base-random, 8 of 256 tokens
 */
import { pack } from "../src/data/pack.ts";
import { type Gpu, openGpu } from "../src/gpu/gpu.ts";
import type { KernelSource } from "../src/gpu/kernel-source.ts";
import type { Dispatch } from "../src/gpu/recorder.ts";
import type { PackedBatch } from "../src/kernels/packed-batch.ts";
import { openModelFolder } from "../src/model/model-folder.ts";
import { type ReplyEntries, replyEntries } from "../src/model/reply-entries.ts";
import { replyLogps } from "../src/model/reply-logps.ts";
import { TrainableModel } from "../src/model/trainable.ts";
import { createTensor, uploadTensor } from "../src/tensor/tensor.ts";
import { Optimizer } from "../src/train/optimizer.ts";

const [path = "models/base-random", sequences = "8", length = "256"] = process.argv.slice(2);
const runs = 5;

interface Step {
  readonly gpu: Gpu;
  readonly model: TrainableModel;
  readonly batch: PackedBatch;
  readonly entries: ReplyEntries;
  readonly update: () => void;
}

function record({ gpu, model, batch, entries, update }: Step): void {
  using _ = gpu.scope();
  if (model.lmHead === undefined) throw new Error("the model was loaded without its vocabulary head");
  model.arena.clear("gradient");
  {
    using tape = model.tape();
    const hidden = model.backbone.forward(batch, batch.rows, { tape });
    const { sums } = replyLogps({ gpu, tape }, hidden, model.lmHead, entries);
    tape.release(hidden);
    const share = new Float32Array(sums.rows).fill(-1 / entries.rows.length);
    tape.backward([[sums, uploadTensor(gpu, share, 1, "d loss / d log-probability")]]);
  }
  update();
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The fewest processor seconds of several runs: what was least disturbed. */
async function measure(gpu: Gpu, run: () => void): Promise<number> {
  const seconds: number[] = [];
  for (let i = 0; i < runs; i++) {
    const begin = cpuSeconds();
    run();
    await gpu.finish();
    seconds.push(cpuSeconds() - begin);
  }
  return Math.min(...seconds);
}

type AnyDispatch = Dispatch<KernelSource>;

/** What one step dispatches, by kernel. */
function dispatchesOf(gpu: Gpu, run: () => void): Map<string, (() => void)[]> {
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
  run();
  recorder.dispatch = dispatch;
  return all;
}

await using folder = await openModelFolder(path);
const gpu = await openGpu();
const model = await TrainableModel.load(gpu, folder, { trainable: "full", lmHead: true });
const optimizer = new Optimizer(gpu, model.arena);
const metrics = createTensor(gpu, 1, 64, "metrics", { persistent: true });
gpu.recorder.clear(metrics.buffer, 0, metrics.buffer.size);
const items = Array.from({ length: Number(sequences) }, (_, s) => ({
  sequences: [
    Int32Array.from({ length: Number(length) }, (_, i) => (i * 7919 + s * 31) % model.config.vocabSize),
  ],
}));
const batch = pack(items);
const entries = replyEntries(
  batch,
  items.map(() => 1),
);
let step = 0;
const update = () =>
  optimizer.step({ lr: 1e-5, step: ++step, maxGradNorm: 1, weightDecay: 0.01, metrics, row: 0 });
const run = () => record({ gpu, model, batch, entries, update });

// The first steps build pipelines and buffers.
await measure(gpu, run);
const whole = await measure(gpu, run);
console.log(`${path} on ${gpu.facts.description}`);
console.log(
  `${batch.rows} tokens: ${whole.toFixed(3)} processor seconds, ${(batch.rows / whole).toFixed(0)} tokens/s on one`,
);
const rows: { name: string; count: number; seconds: number }[] = [];
for (const [name, again] of dispatchesOf(gpu, run)) {
  const seconds = await measure(gpu, () => {
    for (const dispatch of again) dispatch();
  });
  rows.push({ name, count: again.length, seconds });
}
const total = rows.reduce((sum, { seconds }) => sum + seconds, 0);
for (const { name, count, seconds } of rows.sort((a, b) => b.seconds - a.seconds)) {
  const cells = [
    `${(1e3 * seconds).toFixed(1)} ms`,
    `${((100 * seconds) / total).toFixed(1)} %`,
    `${count} dispatches`,
  ];
  console.log(`${name.padEnd(40)}${cells.map((cell) => cell.padStart(16)).join("")}`);
}
gpu.close();
