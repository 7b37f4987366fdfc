/**
 * @file A contestant's process. It reads requests from stdin, one JSON object a line, and answers each with one line on
 * stdout: {"prepare": DIR} (true, or false where the library has nothing for the case), {"run": true} (RunTimes),
 * {"results": FILE} (writes them), {"release": true}. The first line it writes has the library's version.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Contestant, Prepared } from "./contestant.ts";
import { isModel, type PeerCase } from "./peer-case.ts";
import { answerMark, type Request, type RunTimes } from "./protocol.ts";
import { readTensors, writeTensors } from "./tensors.ts";

const [module = "", ...args] = process.argv.slice(2);
const answer = (value: unknown) => process.stdout.write(`${answerMark}${JSON.stringify(value)}\n`);
const { open } = (await import(module)) as { open: (...args: string[]) => Promise<Contestant> };
const contestant = await open(...args);
answer({ ok: contestant.version });

let prepared: Prepared | undefined;

async function handle(request: Request): Promise<unknown> {
  if ("prepare" in request) {
    const dir = request.prepare;
    const definition = JSON.parse(await readFile(join(dir, "case.json"), "utf8")) as PeerCase;
    const inputs = await readTensors(join(dir, "inputs.safetensors"));
    const model = isModel(definition) ? join(dir, "model") : undefined;
    prepared = await contestant.prepare({ definition, inputs, model });
    return prepared !== undefined;
  }
  if (prepared === undefined) throw new Error("no case is prepared");
  if ("run" in request) {
    const processor = process.cpuUsage();
    const start = performance.now();
    await prepared.run();
    const seconds = (performance.now() - start) / 1e3;
    const { user, system } = process.cpuUsage(processor);
    return { seconds, processor: (user + system) / 1e6 } satisfies RunTimes;
  }
  if ("results" in request) {
    await writeTensors(request.results, await prepared.results());
    return true;
  }
  await prepared.release();
  prepared = undefined;
  return true;
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    answer({ ok: await handle(JSON.parse(line) as Request) });
  } catch (error) {
    answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
process.exit(0);
