/**
 * @file run.json: what a run was told and what it found, written into its folder when it begins, so that it can be
 * run again (`rmtrain train --config run.json`). It holds no time of day and no durations: equal runs, equal bytes.
 */
import { readFile } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import type { ExampleKind } from "../data/example-kind.ts";
import { findFiles, STDIN } from "../data/sources/files.ts";
import type { TokeniseCounts } from "../data/tokenise-all.ts";
import { InputError } from "../errors.ts";
import { writeFileAtomic } from "../model/atomic-file.ts";
import { sha256File } from "../model/file-hash.ts";
import { checkOption, isOptionName, optionNames } from "./check-options.ts";
import type { Dataset } from "./dataset.ts";
import type { TrainOptions } from "./options.ts";
import { versions } from "./versions.ts";

export const runFileName = "run.json";
const format = "rmtrain-run/1";

/** SHA-256 in hex; null for standard input, which can't be read again. */
const hashes = z.record(z.string(), z.string().nullable());

const side = z.object({
  files: hashes,
  records: z.int(),
  /** Pairs that the length limit left out. */
  dropped: z.int(),
  /** Sides that it cut, [chosen, rejected]. */
  truncated: z.array(z.int()),
  /** Pairs left out because their sides are the same ids. */
  identical: z.int(),
  tokens: z.int(),
});

const schema = z.object({
  format: z.literal(format),
  /** By the names of the flags with _ for -; null where an option is off or not given. */
  options: z.record(z.string(), z.unknown()),
  base: z.object({ files: hashes }),
  data: z.object({ train: side, eval: side.nullable(), split_by: z.string() }),
  versions: z.record(z.string(), z.string()),
  adapter: z.string(),
  /** Which variants of kernels ran: "default", or a table's hash and what was forced. Older files don't say. */
  variants: z.string().default("default"),
});

/** The parsed run.json. */
export type RunFile = z.infer<typeof schema>;

/** What a file for `--config` says: options, and for a run.json also what that run was made of. */
export interface RunConfig {
  readonly options: Partial<TrainOptions>;
  readonly run?: RunFile;
}

/** What `describeRun` needs to know beside the options. */
export interface RunFacts {
  /** SHA-256 of the base's files (`hashModel`). */
  readonly baseFiles: Readonly<Record<string, string>>;
  readonly dataset: Dataset<ExampleKind>;
  /** The adapter in words. */
  readonly adapter: string;
  /** `gpu.variants.inUse` */
  readonly variants: string;
}

/** Everything about a run that begins. @throws InputError naming a file that can't be read again */
export async function describeRun(options: TrainOptions, facts: RunFacts): Promise<RunFile> {
  const { train, eval: held, splitBy } = facts.dataset;
  const files = await hashFiles(options.data);
  const evalFiles = options.evalData === undefined ? files : await hashFiles(options.evalData);
  return {
    format,
    options: storedOptions(options),
    base: { files: facts.baseFiles },
    data: {
      train: { files, ...counted(train.counts) },
      eval: held === undefined ? null : { files: evalFiles, ...counted(held.counts) },
      split_by: splitBy,
    },
    versions: versions(),
    adapter: facts.adapter,
    variants: facts.variants,
  };
}

/** Into the run's folder, atomically. @throws RmtrainError naming the file that can't be written */
export async function writeRunFile(out: string, run: RunFile): Promise<void> {
  await writeFileAtomic(join(out, runFileName), `${JSON.stringify(run, null, 2)}\n`);
}

/**
 * A run.json, or an object of options alone as a user writes it: `{"data": "prefs.jsonl", "batch_size": 64}`. Names
 * are those of the flags, with _ or - or in camelCase. Relative paths mean what they mean in flags: from the current
 * folder on.
 * @throws InputError naming the file and the key that is unknown or wrong, or the version that can't be read
 */
export async function readRunFile(path: string): Promise<RunConfig> {
  const value = parse(await read(path), path);
  if (value.format === undefined) return { options: readOptions(value, path) };
  if (value.format !== format) {
    throw new InputError(
      `${path}: format ${JSON.stringify(value.format)} is another version's; this one reads ${JSON.stringify(format)}`,
    );
  }
  const run = schema.safeParse(value);
  if (!run.success) {
    const issue = run.error.issues[0];
    throw new InputError(`${path}: ${issue?.path.join(".")}: ${issue?.message ?? "invalid"}`);
  }
  return { options: readOptions(run.data.options, path), run: run.data };
}

/** One line for each thing that is not what it was when `before` was written. */
export function compareRuns(before: RunFile, now: RunFile): string[] {
  const changed = (was: Readonly<Record<string, unknown>>, is: Readonly<Record<string, unknown>>) =>
    Object.keys({ ...was, ...is }).filter((name) => was[name] !== is[name]);
  const { base, versions: had } = before;
  const records = ({ data }: RunFile) => ({ ...data.train.files, ...data.eval?.files });
  return [
    ...changed(base.files, now.base.files).map((name) => `the base's ${name} is not the same file`),
    ...changed(records(before), records(now)).map((name) => `${name} does not hold the same records`),
    ...changed(had, now.versions).map((name) => `${name} was ${had[name]}, it is ${now.versions[name]}`),
    ...(before.adapter === now.adapter ? [] : [`the adapter was ${before.adapter}, it is ${now.adapter}`]),
    ...(before.variants === now.variants
      ? []
      : [`the kernels' variants were ${before.variants}, they are ${now.variants}`]),
  ];
}

async function hashFiles(paths: string | readonly string[]): Promise<Record<string, string | null>> {
  const hashed: Record<string, string | null> = {};
  for (const path of await findFiles(paths))
    hashed[localPath(path)] = path === STDIN ? null : await sha256File(path);
  return hashed;
}

function counted({ records, dropped, truncated, identical, tokens }: TokeniseCounts) {
  const [chosen = 0, rejected = 0] = truncated;
  return { records, dropped, truncated: [chosen, rejected], identical, tokens };
}

/** `overlong` has a flag of another name; every other option is called as its flag. */
const fileName = (name: string) =>
  name === "overlong" ? "truncate" : name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
const optionName = (key: string) =>
  key === "truncate" ? "overlong" : key.replace(/[-_]([a-z])/g, (_, c: string) => c.toUpperCase());

/** Paths of these options are written as they are seen from the current folder where they lie below it. */
const paths: readonly string[] = [
  "model",
  "data",
  "evalData",
  "featureCache",
  "chatTemplate",
  "adapter",
] satisfies (keyof TrainOptions)[];

/** Without `out`: no run is ever written over another. */
function storedOptions(options: TrainOptions): Record<string, unknown> {
  const given: Readonly<Record<string, unknown>> = { ...options };
  const stored: Record<string, unknown> = {};
  for (const name of optionNames) {
    if (name === "out") continue;
    const value = given[name] ?? null;
    stored[fileName(name)] = paths.includes(name) ? localPaths(value) : value;
  }
  return stored;
}

function localPaths(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(localPaths);
  return typeof value === "string" ? localPath(value) : value;
}

/** The same file seen from the current folder, where it lies in it: another machine's clone has it there too. */
function localPath(path: string): string {
  if (path === STDIN) return path;
  const local = relative(process.cwd(), resolve(path));
  const isInside =
    local !== "" && local !== ".." && !local.startsWith(`..${sep}`) && resolve(local) !== local;
  return isInside ? local.split(sep).join("/") : path;
}

function readOptions(given: Readonly<Record<string, unknown>>, path: string): Partial<TrainOptions> {
  const options: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const name = optionName(key);
    if (!isOptionName(name)) {
      throw new InputError(
        `${path}: ${JSON.stringify(key)} is no option of a run. There are: ${optionNames.map(fileName).sort().join(", ")}`,
      );
    }
    if (Object.hasOwn(options, name)) throw new InputError(`${path}: ${fileName(name)} is given twice`);
    if (value === null) continue;
    checkOption(name, value, `${path}: ${key}`);
    options[name] = value;
  }
  return options;
}

async function read(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: Error) => {
    throw new InputError(`--config ${path} can't be read: ${error.message}`);
  });
}

function parse(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path}: not valid JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new InputError(
    `${path}: expected a JSON object of options, as the run.json of an earlier run holds it`,
  );
}
