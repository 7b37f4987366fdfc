/**
 * @file rmtrain beside the libraries that one would take instead, on this machine and this adapter: the same inputs, each
 * library in a process of its own, round by round in turn. Results are compared before anything is timed. Needs the peers:
 *
 *   ONNXRUNTIME_NODE_INSTALL=skip npm --prefix bench/peers ci
 *   npx tsx bench/peers/run.ts [--seconds OF_EACH_CASE] [--pairs N] [--only PART_OF_A_NAME,...] [--peers PART,...] [--processor]
 *
 * --processor tells processor time of all threads: on a CPU adapter a steadier measure while other programs run.
 * PyTorch takes part where `python3`, or what RMTRAIN_PYTHON names, has it. All of it takes about 3 minutes on 2 cores.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cases } from "./cases.ts";
import { contest, startAll } from "./contest.ts";
import { contestants } from "./contestants.ts";
import { machine } from "./machine.ts";
import { timesHeader, timesLines } from "./table.ts";
import { type Contested, targetsTable } from "./targets.ts";

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "6" },
    pairs: { type: "string", default: "4" },
    only: { type: "string", default: "" },
    peers: { type: "string", default: "" },
    processor: { type: "boolean", default: false },
  },
});

const matches = (list: string, name: string) => list.split(",").some((part) => name.includes(part));

const options = { seconds: Number(flags.seconds), clock: flags.processor ? "processor" : "seconds" } as const;
const began = performance.now();
const dir = mkdtempSync(join(tmpdir(), "rmtrain-peers-"));
const wanted = contestants().filter(({ name }) => name === "rmtrain" || matches(flags.peers, name));
const { contestants: started, versions } = await startAll(wanted);
try {
  console.log(`${machine()}\n\n${versions.join("\n")}\n`);
  if (flags.processor) console.log("Times are processor time of all threads.\n");
  console.log(timesHeader);
  const contested: Contested[] = [];
  for (const definition of await cases(Number(flags.pairs))) {
    if (!matches(flags.only, definition.name)) continue;
    const files = join(dir, definition.name.replaceAll(" ", "-"));
    const row = await contest(definition, started, files, options);
    contested.push({ operation: definition.operation, row });
    console.log(timesLines(row));
    console.error(`${definition.name}: done after ${((performance.now() - began) / 1e3).toFixed(0)} s`);
  }
  console.log(`\n${targetsTable(contested)}`);
  console.log(`\n${((performance.now() - began) / 1e3).toFixed(0)} s in all.`);
} finally {
  for (const contestant of started) contestant.stop();
  rmSync(dir, { recursive: true, force: true });
}
