/**
 * @file Seconds from a command's start to its first result (a line of scores, a metric of training), where the driver's
 * cache of compiled kernels is empty, and where it is filled: each run is a process of its own.
 *
 *   npm run build && npx tsx bench/first-result.ts [NAME...] [--program OTHER/dist/cli/main.js] [--rounds 5]
 *
 * NAME: trace, score, score-implicit, eval, train-head, train-lora; without one, all. --program: another build to run in
 * turn with this one, from before a change, say. About two minutes on two cores without a GPU, four with another build.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { openGpu } from "../src/kernels/open.ts";
import { benchSetting } from "../src/train/bench/setting.ts";
import { interleave } from "./lib/interleave.ts";

const root = resolve(import.meta.dirname, "..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { program: { type: "string" }, rounds: { type: "string", default: "5" } },
});
const rounds = Number(values.rounds);
const programs = {
  this: join(root, "dist/cli/main.js"),
  ...(values.program === undefined ? {} : { other: resolve(values.program) }),
};
const folder = mkdtempSync(join(tmpdir(), "rmtrain-first-"));
const pairs = readFileSync(join(root, "examples/prefs.jsonl"), "utf8").split("\n").slice(0, 40).join("\n");
const data = join(folder, "pairs.jsonl");
writeFileSync(data, pairs);

const model = ["--model", join(root, "models/base")];
const random = [...model, "--init-head", "normal"];
const implicit = [...model, "--reward", "implicit", "--reference", model[1]!];
/** Each in a folder of its own; metrics of the first step are a training's first result. */
const training = [...model, "--data", data, "--out", "out", "--max-steps", "2", "--log-every", "1"];
const metrics = "out/metrics.jsonl";
const cases: Record<string, { readonly args: readonly string[]; readonly file?: string }> = {
  trace: { args: ["trace", ...random, "The sea is blue, and the gulls are white."] },
  score: { args: ["score", ...random, "--data", data] },
  "score-implicit": { args: ["score", ...implicit, "--data", data] },
  eval: { args: ["eval", ...random, "--data", data] },
  "train-head": { args: ["train", ...training], file: metrics },
  "train-lora": { args: ["train", ...training, "--trainable", "lora"], file: metrics },
};

/** Milliseconds between two looks at a file. */
const interval = 5;

/** @param cache the driver's @returns seconds */
async function firstResult(program: string, name: string, cache: string): Promise<number> {
  const { args, file } = cases[name]!;
  const cwd = mkdtempSync(join(folder, "run-"));
  const env = { ...process.env, MESA_SHADER_CACHE_DIR: cache };
  const began = performance.now();
  const child = spawn(process.execPath, [program, ...args], { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
  let seconds: number | undefined;
  const found = () => {
    seconds ??= (performance.now() - began) / 1e3;
  };
  const lookForFile = () => {
    if (file !== undefined && (statSync(join(cwd, file), { throwIfNoEntry: false })?.size ?? 0) > 0) found();
  };
  const looking = setInterval(lookForFile, interval);
  child.stdout.on("data", () => file === undefined && found());
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const code = await new Promise((ended) => child.on("close", ended));
  clearInterval(looking);
  if (code !== 0 || seconds === undefined) throw new Error(`${name} ended with ${code}:\n${said}`);
  return seconds;
}

/** The same in a cache that is made for it. */
async function coldResult(program: string, name: string): Promise<number> {
  const cache = mkdtempSync(join(tmpdir(), "rmtrain-shaders-"));
  try {
    return await firstResult(program, name, cache);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

async function heading(): Promise<string> {
  using gpu = await openGpu();
  const { adapter, machine, versions, date } = benchSetting(gpu);
  const known = Object.entries(versions).map((entry) => entry.join(" "));
  return [machine, adapter, ...known, date].join("; ");
}

const unknown = positionals.find((name) => !(name in cases));
if (unknown !== undefined) throw new Error(`${unknown}: there are ${Object.keys(cases).join(", ")}`);
const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
const warm = join(folder, "shaders");
try {
  console.log(
    `${await heading()}\n\nSeconds to the first result: median (quartiles) of ${rounds}, in turn.\n`,
  );
  const columns = ["command", "program", "empty cache", "filled cache"];
  console.log(`${line(columns)}\n${line(columns.map(() => "---"))}`);
  for (const name of positionals.length === 0 ? Object.keys(cases) : positionals) {
    const all = Object.entries(programs);
    const timed = (run: (program: string) => Promise<number>, warmup: number) =>
      interleave(
        all.map(([label, program]) => ({ name: label, run: () => run(program) })),
        { rounds, warmup },
      );
    const cold = await timed((program) => coldResult(program, name), 0);
    const filled = await timed((program) => firstResult(program, name, warm), 1);
    for (const [i, [label]] of all.entries()) {
      const cells = [cold[i]!, filled[i]!].map(
        ({ median, low, high }) => `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
      );
      console.log(line([name, label, ...cells]));
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
