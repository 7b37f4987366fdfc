/** @file `rmtrain bench --train` and `--score`: a made-up model of a given shape, end to end. */
import { type Command, Option } from "commander";
import { ScoringCase } from "../audit/bench/scoring-case.ts";
import { InputError } from "../errors.ts";
import type { Precision } from "../gpu/precision.ts";
import { openGpu } from "../kernels/open.ts";
import { benchRun, type RunShape } from "../train/bench/end-to-end.ts";
import { benchSetting } from "../train/bench/setting.ts";
import { benchObjectives, TrainingCase } from "../train/bench/training-case.ts";
import { runTable } from "./bench-run-table.ts";
import { compilingLine } from "./compiling.ts";
import { positiveInteger } from "./options.ts";

export interface RunFlags {
  readonly train?: true;
  readonly score?: true;
  readonly json?: true;
  readonly memoryBudget: number;
  readonly hidden?: number;
  readonly layers?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly intermediate?: number;
  readonly vocab?: number;
  readonly length?: number;
  readonly batch?: number;
  readonly dtype: "f32" | "f16" | "bf16";
  readonly objective: (typeof benchObjectives)[number];
  readonly batchTokens: number;
  readonly gradientCheckpointing?: true;
  readonly growth: boolean;
  readonly precision: Precision;
}

/** A CPU gets a model that it does in seconds; a GPU one that fills it. */
const defaults = {
  software: {
    hidden: 288,
    layers: 6,
    heads: 6,
    intermediate: 768,
    vocabulary: 32_000,
    length: 128,
    batch: 8,
  },
  hardware: {
    hidden: 768,
    layers: 12,
    heads: 12,
    intermediate: 2048,
    vocabulary: 32_000,
    length: 256,
    batch: 32,
  },
} as const;
const { software: cpu, hardware: card } = defaults;
const size = (flag: string, what: string, of: Exclude<keyof typeof cpu, never>) =>
  new Option(flag, what)
    .argParser(positiveInteger)
    .default(undefined, `${cpu[of]} on a CPU, else ${card[of]}`);

/** The options beside the command's own. */
export function addRunOptions(command: Command): Command {
  return command
    .option("--train", "measure training of a made-up model of the shape below, not kernels")
    .option("--score", "measure scoring with such a model")
    .addOption(size("--hidden <n>", "its width", "hidden"))
    .addOption(size("--layers <n>", "its layers", "layers"))
    .addOption(size("--heads <n>", "its query heads", "heads"))
    .addOption(
      new Option("--kv-heads <n>", "its key and value heads (default: --heads)").argParser(positiveInteger),
    )
    .addOption(size("--intermediate <n>", "width of its feed-forward layers", "intermediate"))
    .addOption(size("--vocab <n>", "words of its vocabulary", "vocabulary"))
    .addOption(
      new Option("--dtype <name>", "how its weights are stored; what learns is f32")
        .choices(["f32", "f16", "bf16"])
        .default("f32"),
    )
    .addOption(size("--length <n>", "tokens of a sequence", "length"))
    .addOption(size("--batch <n>", "pairs of a step; sequences of a pass, by twos", "batch"))
    .addOption(
      new Option("--objective <name>", "what training learns by").choices(benchObjectives).default("bt"),
    )
    .addOption(
      new Option("--batch-tokens <n>", "tokens computed at once, at most")
        .argParser(positiveInteger)
        .default(4096),
    )
    .option("--gradient-checkpointing", "compute layers again for their gradients")
    .option("--no-growth", "only this shape, not how the cost grows with its sizes");
}

/** @throws InputError for a shape that no model has, or both kinds of run at once */
export async function runBench(flags: RunFlags): Promise<void> {
  if (flags.train && flags.score)
    throw new InputError("--train and --score are two benchmarks: run one after the other");
  const begun = performance.now();
  using gpu = await openGpu({ memoryBudget: flags.memoryBudget, precision: flags.precision });
  const opened = (performance.now() - begun) / 1e3;
  const chosen = defaults[gpu.facts.software ? "software" : "hardware"];
  const { hidden = chosen.hidden, layers = chosen.layers, heads = chosen.heads } = flags;
  const { intermediate = chosen.intermediate, vocab: vocabulary = chosen.vocabulary } = flags;
  const { length = chosen.length, batch = chosen.batch, kvHeads = heads, dtype } = flags;
  const shape = { hidden, layers, heads, kvHeads, intermediate, vocabulary, dtype, length, batch };
  const note = (text: string) => process.stderr.write(`${text}\n`);
  const { objective, batchTokens, gradientCheckpointing = false, growth } = flags;
  const options = { objective, batchTokens, gradientCheckpointing };
  const onCompiled = compilingLine();
  const open = (of: RunShape) =>
    flags.score
      ? ScoringCase.open(gpu, of, { ...options, onCompiled })
      : TrainingCase.open(gpu, of, { ...options, onCompiled });
  const result = await benchRun(gpu, shape, open, { growth, opened, note });
  const kind = flags.score ? "score" : "train";
  const told = { kind, ...benchSetting(gpu), options, ...result } as const;
  process.stdout.write(flags.json ? `${JSON.stringify(told, null, 2)}\n` : runTable(told));
}
