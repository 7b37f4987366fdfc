/**
 * @file A run in a process of its own, for tests that kill it: `child.mjs DIST OPTIONS_AS_JSON`. It says on stdout what it
 * is at. Plain JavaScript on compiled modules: a test starts dozens of it.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [dist, options] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(join(dist, file)).href);
const [{ openGpu }, { train }] = await Promise.all([load("gpu/gpu.js"), load("train/train.js")]);
const say = (text) => writeSync(1, `${text}\n`);
const gpu = await openGpu();
await train(
  gpu,
  JSON.parse(options),
  { note() {}, begin: (phase) => say(phase), saved: (step) => say(`saved ${step}`) },
  { resume: "auto" },
);
say("done");
gpu.close();
