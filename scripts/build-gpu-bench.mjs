// bench/gpu as JavaScript in .gpu/bench, for a machine that has Node and the production packages but no others.
// There: node .gpu/bench/bench/gpu/run.js
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const out = join(root, ".gpu/bench");
rmSync(out, { recursive: true, force: true });
const tsc = join(createRequire(import.meta.url).resolve("typescript/package.json"), "../bin/tsc");
const { status } = spawnSync(process.execPath, [tsc, "-p", "bench/gpu"], { cwd: root, stdio: "inherit" });
if (status !== 0) process.exit(1);
const contestants = "bench/peers/contestants";
const scripts = readdirSync(join(root, contestants)).filter((name) => name.endsWith(".py"));
// What the programs find from where they lie.
const needed = ["package.json", "models/base", "examples", ...scripts.map((name) => join(contestants, name))];
for (const path of needed) cpSync(join(root, path), join(out, path), { recursive: true });
console.log("built: node .gpu/bench/bench/gpu/run.js");
