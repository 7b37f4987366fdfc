/**
 * @file Work that is never done twice: each feature on, against the same engine with it off, as tables in Markdown.
 *
 *   npx tsx bench/once/all.ts [NAME...] [--processor] [--model DIR] [--data PAIRS.jsonl]
 *
 * NAME: padding, prompts, head, reference, trace, replies, checkpointing, bf16; without one, all of them, which takes about
 * five minutes on two cores without a GPU. --model and --data are for `head`.
 * --processor: processor time of all threads in place of the clock: on a CPU adapter steadier where other programs run.
 */
import { parseArgs } from "node:util";
import { openGpu } from "../../src/kernels/open.ts";
import { benchSetting } from "../../src/train/bench/setting.ts";
import { bf16 } from "./bf16.ts";
import { checkpointing } from "./checkpointing.ts";
import { byProcessor } from "./clock.ts";
import { head } from "./head.ts";
import { padding } from "./padding.ts";
import { prompts } from "./prompts.ts";
import { reference } from "./reference.ts";
import { replies } from "./replies.ts";
import { lineOf, type Table } from "./table.ts";
import { trace } from "./trace.ts";

const tables: readonly Table[] = [padding, prompts, head, reference, trace, replies, checkpointing, bf16];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { model: { type: "string" }, data: { type: "string" }, processor: { type: "boolean" } },
});
const unknown = positionals.find((name) => !tables.some((table) => table.name === name));
if (unknown !== undefined) {
  console.error(`${unknown}: there are ${tables.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

using gpu = await openGpu();
const { adapter, machine, versions, date } = benchSetting(gpu);
const known = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
console.log(`${[machine, adapter, ...known, date].join("; ")}\n`);
const clock = byProcessor ? " of processor time of all threads" : "";
console.log(`Times are medians in milliseconds${clock}, quartiles in parentheses; both ways run in turn.`);
for (const { name, title, how, columns, rows } of tables) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const began = performance.now();
  console.log(`\n### ${title}\n\n${how}\n\n${lineOf(columns)}\n${lineOf(columns.map(() => "---"))}`);
  for await (const row of rows({ gpu, model: values.model, data: values.data })) console.log(lineOf(row));
  const took = ((performance.now() - began) / 1e3).toFixed(0);
  console.log(`\n\`npx tsx bench/once/all.ts ${name}\`: ${took} s`);
}
