/**
 * @file Makes a pretrained base: a tokenizer trained on a folder of text, a small Llama, trained by `--objective lm`.
 * Run: npx tsx scripts/make-base.ts --text DIR [--size small] [--minutes N] [--work DIR] [--out DIR]
 *
 * DIR holds UTF-8 text (.txt, .txt.gz); files whose names begin with "valid" are held out. The work stands in --work
 * (default runs/base); called again it goes on where it ended, be it stopped by --minutes, by Ctrl-C or by a crash. When the
 * last step is done the model and its card go to --out (default models/base). A README.md beside the texts is asked for
 * its sections "Works" and "Baselines", which the card repeats.
 */
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openGpu } from "../src/gpu/gpu.ts";
import { countWords, trainBpe } from "./lib/bpe.ts";
import { bitsPerByte } from "./lib/pretrain/bits-per-byte.ts";
import { baseCard } from "./lib/pretrain/card.ts";
import { readCurve } from "./lib/pretrain/curve.ts";
import { writeInitial } from "./lib/pretrain/initial.ts";
import { type PretrainSettings, type SizeName, sizes } from "./lib/pretrain/settings.ts";
import { factsOf, findCorpus, readText } from "./lib/pretrain/texts.ts";
import { isTrained, trainSlice } from "./lib/pretrain/train-base.ts";
import { SPECIALS } from "./lib/tokenizer-files.ts";

const { values } = parseArgs({
  options: {
    text: { type: "string" },
    size: { type: "string", default: "small" },
    minutes: { type: "string" },
    steps: { type: "string" },
    lr: { type: "string" },
    work: { type: "string", default: "runs/base" },
    out: { type: "string", default: "models/base" },
  },
});
const { text, size, work, out } = values;
if (text === undefined) throw new Error("--text DIR: a folder of .txt or .txt.gz files");
if (!Object.hasOwn(sizes, size)) throw new Error(`--size is one of ${Object.keys(sizes).join(", ")}`);
const settings: PretrainSettings = {
  ...sizes[size as SizeName],
  ...(values.steps === undefined ? {} : { steps: Number(values.steps) }),
  ...(values.lr === undefined ? {} : { lr: Number(values.lr) }),
};
const corpus = await findCorpus(text);
const initial = join(work, "initial");
const run = join(work, "run");

if (!existsSync(join(initial, "model.safetensors"))) {
  const vocabulary = trainBpe(
    countWords(await Promise.all(corpus.train.map(readText))),
    settings.shape.vocabulary,
    SPECIALS,
  );
  const parameters = await writeInitial(initial, vocabulary, settings);
  console.log(`${initial}: ${vocabulary.symbols.length} symbols, ${parameters} parameters`);
}

if (!isTrained({ run })) {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  if (values.minutes !== undefined) setTimeout(() => stop.abort(), 60_000 * Number(values.minutes)).unref();
  const reporter = {
    note: (line: string) => console.log(line),
    trained: (line: object, steps: number) => console.log(JSON.stringify(line), `of ${steps}`),
    evaluated: (line: object) => console.log(JSON.stringify(line)),
  };
  const texts = corpus.train;
  if (!(await trainSlice(openGpu, { initial, run, texts, settings, signal: stop.signal }, reporter))) {
    console.log("stopped, and saved; the same command goes on");
    process.exit(0);
  }
}

using gpu = await openGpu();
const { maxLength } = settings;
const held = await Promise.all(corpus.valid.map(readText));
const trained = await bitsPerByte(gpu, run, held, { length: maxLength, context: maxLength / 2 });
console.log(`${trained.bitsPerByte.toFixed(4)} bits per byte on ${corpus.valid.join(", ")}`);
await mkdir(out, { recursive: true });
const kept = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
for (const file of await readdir(run))
  if (kept.includes(file)) await copyFile(join(run, file), join(out, file));
const readme = await readFile(join(text, "README.md"), "utf8").catch(() => "");
const sections = readme.split(/^(?=## )/m).filter((part) => /^## (Works|Baselines)\n/.test(part));
await writeFile(
  join(out, "README.md"),
  baseCard({
    name: "base",
    settings,
    parameters: await parametersOf(run),
    train: await Promise.all(corpus.train.map(factsOf)),
    valid: await Promise.all(corpus.valid.map(factsOf)),
    curve: await readCurve(run),
    trained,
    adapter: gpu.facts.description,
    works: sections.join("\n"),
  }),
);
console.log(`${out}: done`);

async function parametersOf(dir: string): Promise<number> {
  const { openCheckpoint } = await import("../src/model/safetensors/index.ts");
  await using checkpoint = await openCheckpoint(dir);
  const sizes = [...checkpoint.tensors.values()].map(({ shape }) => shape.reduce((n, d) => n * d, 1));
  return sizes.reduce((sum, n) => sum + n, 0);
}
