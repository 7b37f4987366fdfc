/**
 * @file Makes this machine's table of tuned choices one that is shipped:
 *   npx rmtrain tune --force && npx tsx scripts/ship-tuning.ts
 * writes src/kernels/tuning/shipped-tables.ts with the table of this device in the place of what there was for it.
 * Choices that were left to the default are left out.
 */
import { writeFileSync } from "node:fs";
import { openGpu } from "../src/kernels/open.ts";
import { shippedTables } from "../src/kernels/tuning/shipped-tables.ts";
import { readEntries, tuningFile } from "../src/kernels/tuning/store.ts";

using gpu = await openGpu({ tuning: "none" });
const { vendor, architecture, subgroupMin, description } = gpu.facts;
const file = await tuningFile(gpu.facts);
const measured = file === undefined ? [] : await readEntries(file);
if (measured.length === 0) throw new Error("there is no table of this device: run rmtrain tune first");
const others = shippedTables.filter(
  ({ device }) =>
    device.vendor !== vendor || device.architecture !== architecture || device.subgroupMin !== subgroupMin,
);
const table = {
  device: { vendor, architecture, subgroupMin },
  measured: `${new Date().toISOString().slice(0, 10)}, ${description}: ${measured.length} shapes`,
  entries: measured.filter(({ variant }) => variant !== null),
};
const tables = [...others, table];
writeFileSync(
  "src/kernels/tuning/shipped-tables.ts",
  `/** @file Written by scripts/ship-tuning.ts. */
import type { ShippedTable } from "./shipped.ts";

export const shippedTables: readonly ShippedTable[] = ${JSON.stringify(tables, null, 2)};
`,
);
console.log(`${table.entries.length} choices of ${measured.length} shapes; now: npm run format`);
