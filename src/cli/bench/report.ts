/** @file What `rmtrain bench` found, as it is written with --json and read again by --compare. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { InputError } from "../../errors.ts";
import { precisions } from "../../gpu/precision.ts";
import { isSystemError } from "../../model/atomic-file.ts";

/** Goes up when a figure changes its meaning. */
const format = 2;
const seconds = z.number().nonnegative();
const rate = z.number().nonnegative();

const row = z.object({
  name: z.string(),
  shape: z.string(),
  chosen: z.boolean(),
  seconds,
  low: seconds,
  high: seconds,
  runs: z.int().positive(),
  source: z.enum(["timestamp", "wall"]),
  firstSeconds: seconds,
  flops: z.number().nonnegative(),
  bytes: z.number().nonnegative(),
  flopsPerSecond: rate,
  bytesPerSecond: rate,
  limit: z.enum(["fma", "copy"]),
  share: z.number().nonnegative(),
});

const ceilings = z.object({
  bytesPerSecond: rate,
  flopsPerSecond: rate,
  parts: z.object({ copyKernel: rate, copyCommand: rate, fma8Chains: rate, fma2Chains: rate }),
});

const overheads = z.object({
  submitAndWait: seconds,
  dispatch: seconds,
  record: seconds,
  recordNewGroup: seconds,
  submit: seconds,
  read4KiB: seconds,
  read1MiB: seconds,
  read16MiB: seconds,
  write16MiB: seconds,
});

const report = z.object({
  format: z.literal(format),
  adapter: z.string(),
  machine: z.string(),
  /** The class that products of linear layers were computed in. */
  precision: z.enum(precisions),
  versions: z.record(z.string(), z.string()),
  date: z.string(),
  ceilings,
  /** A matrix product of the processor's own library, where the adapter is a processor and the library is there. */
  processor: z.object({ library: z.string(), flopsPerSecond: rate }).optional(),
  overheads,
  rows: z.array(row),
  leftOut: z.array(
    z.object({ name: z.string(), shape: z.string(), reason: z.enum(["time", "memory"]), seconds }),
  ),
  /** That the benchmark took. */
  seconds,
});

export type BenchReport = z.infer<typeof report>;
export const reportFormat = format;

/** @throws InputError naming the file and what is wrong with it */
export async function readReport(file: string): Promise<BenchReport> {
  return parseReport(await textOf(file), file);
}

/** @throws InputError naming `file` */
export function parseReport(text: string, file: string): BenchReport {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file} is no JSON: ${error instanceof Error ? error.message : error}`);
  }
  const parsed = report.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InputError(
    `${file} is no report of this version's rmtrain bench --json (${issue?.path.join(".") || "the whole"}: ${issue?.message}). ` +
      `Its format is ${format}; run rmtrain bench --json again.`,
  );
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isSystemError(error)) throw new InputError(`Can't read ${file}: ${error.message}`);
    throw error;
  }
}
