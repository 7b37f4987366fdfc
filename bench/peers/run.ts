/**
 * @file rmtrain beside the libraries that one would take instead, on this machine and this adapter: the same inputs, each
 * library in a process of its own, round by round in turn. Results are compared before anything is timed. Needs the peers:
 *
 *   ONNXRUNTIME_NODE_INSTALL=skip npm --prefix bench/peers ci
 *   npx tsx bench/peers/run.ts [--seconds OF_EACH_CASE] [--pairs N] [--only PART_OF_A_NAME,...] [--peers PART,...]
 *
 * PyTorch takes part where `python3`, or what RMTRAIN_PYTHON names, has it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { interleave } from "../lib/interleave.ts";
import { cases, type PeerCase, writeCase } from "./cases.ts";
import { contestants } from "./contestants.ts";
import { machine } from "./machine.ts";
import { ContestantProcess } from "./process.ts";
import { type Cell, type Row, timesTable } from "./table.ts";
import { readTensors, relativeError } from "./tensors.ts";

/** Larger than what the order of sums in f32 explains: something else was computed. */
const tolerance = 1e-4;

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    pairs: { type: "string", default: "4" },
    only: { type: "string", default: "" },
    peers: { type: "string", default: "" },
  },
});

const matches = (list: string, name: string) => list.split(",").some((part) => name.includes(part));

/** Which of the contestants can do the case as ours does it; then their times. */
async function contest(definition: PeerCase, all: readonly ContestantProcess[], dir: string): Promise<Row> {
  await writeCase(definition, dir);
  const absent: string[] = [];
  const able: { contestant: ContestantProcess; error: number }[] = [];
  let reference: Awaited<ReturnType<typeof readTensors>> | undefined;
  for (const contestant of all) {
    try {
      if (!(await contestant.prepare(dir))) {
        absent.push(`${contestant.name}: nothing for this`);
        continue;
      }
      const file = join(dir, `${contestant.name}.safetensors`);
      await contestant.results(file);
      const own = await readTensors(file);
      reference ??= own;
      const error = relativeError(own, reference);
      if (error <= tolerance) able.push({ contestant, error });
      else absent.push(`${contestant.name}: its results are another's (error ${error.toExponential(1)})`);
    } catch (error) {
      absent.push(error instanceof Error ? error.message : String(error));
    }
  }
  const runs = able.map(({ contestant }) => ({ name: contestant.name, run: () => contestant.run() }));
  const rounds = await roundsFor(able.map(({ contestant }) => contestant));
  const standings = await interleave(runs, { rounds, warmup: 1 });
  for (const { contestant } of able) await contestant.release();
  const cells = standings.map((standing, i): Cell => {
    return { contestant: standing.name, standing, error: able[i]?.error ?? Number.NaN };
  });
  return { name: definition.name, shape: definition.shape, flops: definition.flops, rounds, cells, absent };
}

/** As many as fit the seconds for a case, by one run of each, but no fewer than 3 and no more than 25. */
async function roundsFor(all: readonly ContestantProcess[]): Promise<number> {
  let seconds = 0;
  for (const contestant of all) seconds += await contestant.run();
  return Math.min(25, Math.max(3, Math.floor(Number(flags.seconds) / seconds)));
}

const dir = mkdtempSync(join(tmpdir(), "rmtrain-peers-"));
const started: ContestantProcess[] = [];
const versions: string[] = [];
try {
  const began = performance.now();
  for (const command of contestants()) {
    if (!matches(flags.peers, command.name) && command.name !== "rmtrain") continue;
    try {
      const { contestant, version } = await ContestantProcess.start(command);
      started.push(contestant);
      versions.push(`- ${command.name}: ${version}`);
    } catch (error) {
      const [why = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
      versions.push(`- ${command.name}: not installed (${why})`);
    }
  }
  console.log(`${machine()}\n${versions.join("\n")}\n`);
  const rows: Row[] = [];
  for (const definition of await cases(Number(flags.pairs))) {
    if (!matches(flags.only, definition.name)) continue;
    const row = await contest(definition, started, join(dir, definition.name.replaceAll(" ", "-")));
    rows.push(row);
    for (const absent of row.absent) console.error(`${definition.name}: ${absent}`);
  }
  console.log(timesTable(rows));
  console.log(
    `\n${((performance.now() - began) / 1e3).toFixed(0)} s in all; every contestant in a process of its own, in turn`,
  );
} finally {
  for (const contestant of started) contestant.stop();
  rmSync(dir, { recursive: true, force: true });
}
