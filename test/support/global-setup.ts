/** @file Before the tests: every pipeline is built once, into the shader cache that all test processes share. */
import { spawnSync } from "node:child_process";
import { script } from "./build-pipelines.ts";

export function setup(): void {
  const run = spawnSync(process.execPath, ["--import", "tsx", script], { encoding: "utf8" });
  // Not fatal: the tests that need the adapter say better what is wrong with it.
  if (run.status !== 0)
    process.stderr.write(`Pipelines could not be built ahead of the tests:\n${run.stderr}\n`);
}
