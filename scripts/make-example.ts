/** @file Writes examples/prefs.jsonl. Run: npx tsx scripts/make-example.ts */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { EXAMPLE_SEED, makePairs, toJsonl } from "./lib/prefs.ts";

const path = fileURLToPath(new URL("../examples/prefs.jsonl", import.meta.url));
const pairs = makePairs(EXAMPLE_SEED);
writeFileSync(path, toJsonl(pairs));
console.log(`${path}: ${pairs.length} pairs`);
