/** @file The memory that `rmtrain score` takes on the host: that of a few windows, however long the file is. */
import { createWriteStream, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { expect, it } from "vitest";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { spawnRmtrain } from "./run-rmtrain.ts";

const lines = 200_000;

/** Short lines of ids, some 50 bytes each. */
async function shortLines(): Promise<string> {
  const path = join(temporaryFolder(), "short.jsonl");
  const file = createWriteStream(path);
  for (let i = 0; i < lines; i++)
    file.write(`${JSON.stringify({ id: `line ${i}`, input_ids: [1 + (i % 37), 2, 3 + (i % 11)] })}\n`);
  file.end();
  await finished(file);
  return path;
}

/** Resident bytes of a process, in MiB. */
function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** A peak says when garbage was last collected, and little of what stays. */
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

it.skipIf(!existsSync("/proc/self/status"))(
  "200,000 lines: the last 60,000 take no more than lines 60,000 to 120,000 did",
  async () => {
    const model = await tinyModel({
      family: "llama",
      config: {
        num_hidden_layers: 1,
        hidden_size: 8,
        intermediate_size: 8,
        num_attention_heads: 2,
        num_key_value_heads: 1,
      },
    });
    const child = spawnRmtrain(["score", "--model", model, "--data", await shortLines()]);
    const { pid = expect.fail("no process") } = child;
    let seen = 0;
    const early: number[] = [];
    const late: number[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      if (seen % 1000 === 0) {
        // Before that the program warms up: code is compiled, and V8 finds the size of its heap.
        if (seen >= 60_000 && seen < 120_000) early.push(residentMiB(pid));
        else if (seen >= 140_000) late.push(residentMiB(pid));
      }
      if (!line.startsWith(`{"id":"line ${seen}","reward":`)) expect.fail(`line ${seen} is ${line}`);
      seen++;
    }
    expect(seen).toBe(lines);
    // The 80,000 lines in between and their results would take 50 MiB and more if they stayed.
    expect(median(late)).toBeLessThan(median(early) + 25);
  },
  300_000,
);
