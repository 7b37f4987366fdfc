/**
 * @file The predicted peak of a training step's memory against the measured one: of our own accounts, and, where the
 * device is the CPU, of the process as the operating system sees it. Each case runs in a process of its own.
 *
 *   npx tsx bench/memory.ts MODEL PAIRS.jsonl [BATCH_TOKENS,...]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openGpu } from "../src/gpu/gpu.ts";
import type { TrainArguments } from "../src/train/options.ts";
import { train } from "../src/train/train.ts";

interface Case {
  readonly model: string;
  readonly data: string;
  readonly objective: "bt" | "dpo";
  readonly trainable: "lora" | "full";
  readonly gradientCheckpointing: boolean;
  readonly batchTokens: number;
}

/** In bytes. */
interface Measured {
  readonly predicted: number;
  readonly measured: number;
  /** What the steps add to what is on the device before them, by the prediction. */
  readonly added: number;
  /** What they added to the process's memory, compiled kernels included; undefined where the device has its own. */
  readonly resident: number | undefined;
}

/** Two steps, so that the second finds all that the first has left. */
async function measure(one: Case): Promise<Measured> {
  const out = mkdtempSync(join(tmpdir(), "rmtrain-memory-"));
  using gpu = await openGpu({ memoryBudget: 32 * 2 ** 30 });
  const options: TrainArguments = {
    ...one,
    out: join(out, "model"),
    evalSplit: 0,
    maxSteps: 2,
    batchSize: 64,
    maxLength: 256,
    overlong: "left",
    logEvery: 1,
    report: false,
  };
  const before = { resident: 0, live: 0 };
  let resident = 0;
  try {
    const { predictedBytes = Number.NaN, peakBytes } = await train(gpu, options, {
      note: () => {},
      begin: (phase) => {
        if (phase !== "training") return;
        before.live = gpu.memory.live;
        before.resident = process.memoryUsage.rss();
      },
      trained: () => {
        resident = Math.max(resident, process.memoryUsage.rss());
      },
    });
    return {
      predicted: predictedBytes,
      measured: peakBytes,
      added: predictedBytes - before.live,
      resident: gpu.facts.software ? resident - before.resident : undefined,
    };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const MiB = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
const percent = (a: number, b: number) => `${(100 * (a / b - 1)).toFixed(1)} %`;

function inItsOwnProcess(one: Case): Measured {
  const command = ["--import", "tsx", fileURLToPath(import.meta.url), "--case", JSON.stringify(one)];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.slice(stdout.lastIndexOf("{"))) as Measured;
}

const [first, second, third = "512,2048"] = process.argv.slice(2);
if (first === "--case" && second !== undefined) {
  console.log(JSON.stringify(await measure(JSON.parse(second) as Case)));
} else if (first === undefined || second === undefined) {
  console.error("usage: npx tsx bench/memory.ts MODEL PAIRS.jsonl [BATCH_TOKENS,...]");
  process.exitCode = 2;
} else {
  const columns = [
    "objective",
    "trainable",
    "checkpoints",
    "tokens",
    "predicted MiB",
    "measured MiB",
    "off by",
  ];
  console.log([...columns, "of it for steps", "process grew by MiB"].join("\t"));
  for (const objective of ["bt", "dpo"] as const) {
    for (const trainable of ["lora", "full"] as const) {
      for (const gradientCheckpointing of [false, true]) {
        for (const batchTokens of third.split(",").map(Number)) {
          const one = { objective, trainable, gradientCheckpointing, batchTokens };
          const { predicted, measured, added, resident } = inItsOwnProcess({
            ...one,
            model: first,
            data: second,
          });
          const memory = [MiB(predicted), MiB(measured), percent(predicted, measured), MiB(added)];
          const grew = resident === undefined ? "-" : MiB(resident);
          console.log([...Object.values(one), ...memory, grew].join("\t"));
        }
      }
    }
  }
}
