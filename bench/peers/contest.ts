/** @file One case among several contestants: results compared first, then times, round by round in turn. */
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { interleave } from "../lib/interleave.ts";
import { type PeerCase, writeCase } from "./peer-case.ts";
import { type Command, ContestantProcess } from "./process.ts";
import type { Clock } from "./protocol.ts";
import type { Row } from "./table.ts";
import { readTensors, relativeError, type Tensors } from "./tensors.ts";

/** Milliseconds before each run: threads of libraries spin for a while after theirs, on processors that the next one needs. */
const settling = 50;

/** Larger than what the order of sums in f32 explains: something else was computed. */
const f32Tolerance = 1e-4;

interface Started {
  readonly contestants: readonly ContestantProcess[];
  /** Lines of Markdown: each contestant's version, or why it does not take part. */
  readonly versions: readonly string[];
}

export async function startAll(commands: readonly Command[]): Promise<Started> {
  const contestants: ContestantProcess[] = [];
  const versions: string[] = [];
  for (const command of commands) {
    try {
      const { contestant, version } = await ContestantProcess.start(command);
      contestants.push(contestant);
      versions.push(`- ${command.name}: ${version}`);
    } catch (error) {
      versions.push(`- ${command.name}: not installed, or does not start (${firstLine(error)})`);
    }
  }
  return { contestants, versions };
}

export interface ContestOptions {
  /** To spend on the case. */
  readonly seconds: number;
  readonly clock: Clock;
}

/** @param dir a folder for the case's files */
export async function contest(
  definition: PeerCase,
  all: readonly ContestantProcess[],
  dir: string,
  { seconds, clock }: ContestOptions,
): Promise<Row> {
  await writeCase(definition, dir);
  const absent: string[] = [];
  const able: { contestant: ContestantProcess; error: number }[] = [];
  let reference: Tensors | undefined;
  for (const contestant of all) {
    try {
      if (!(await contestant.prepare(dir))) continue;
      const file = join(dir, `${contestant.name}.safetensors`);
      await contestant.results(file);
      const own = await readTensors(file);
      reference ??= own;
      const error = relativeError(own, reference);
      if (error <= (contestant.tolerance ?? f32Tolerance)) able.push({ contestant, error });
      else absent.push(`${contestant.name}: left out, its results are off by ${error.toExponential(1)}`);
    } catch (error) {
      absent.push(`${contestant.name}: left out (${firstLine(error)})`);
    }
  }
  const { name, shape, flops, bytes, sizes } = definition;
  const rounds = await roundsFor(
    able.map(({ contestant }) => contestant),
    seconds,
  );
  const repeats = sizes.repeats ?? 1;
  const runs = able.map(({ contestant }) => ({
    name: contestant.name,
    run: async () => {
      await setTimeout(settling);
      return (await contestant.run())[clock] / repeats;
    },
  }));
  const standings = able.length === 0 ? [] : await interleave(runs, { rounds, warmup: 1 });
  for (const { contestant } of able) await contestant.release();
  const cells = standings.map((standing, i) => ({
    contestant: standing.name,
    standing,
    error: able[i]?.error ?? Number.NaN,
  }));
  return { name, shape, flops, bytes, rounds, cells, absent };
}

/** As many as fit the seconds, by one run of each, but no fewer than 3 and no more than 25. */
async function roundsFor(all: readonly ContestantProcess[], budget: number): Promise<number> {
  let seconds = 0;
  for (const contestant of all) seconds += (await contestant.run()).seconds;
  return Math.min(25, Math.max(3, Math.floor(budget / seconds)));
}

const firstLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
