/** @file src/ as JavaScript in a temporary folder of this clone, for child processes that should begin quickly. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** @returns gives the folder that corresponds to src/, from the file's first test on */
export function useCompiled(): () => string {
  let folder = "";
  beforeAll(() => {
    mkdirSync(join(root, ".cache"), { recursive: true });
    // Inside the clone, so that its packages are found.
    folder = mkdtempSync(join(root, ".cache", "compiled-"));
    copyFileSync(join(root, "package.json"), join(folder, "package.json"));
    const flags = ["--noCheck", "--declaration", "false", "--sourceMap", "false"];
    const project = join(root, "tsconfig.build.json");
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    execFileSync(process.execPath, [tsc, "-p", project, ...flags, "--outDir", join(folder, "dist")]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return () => join(folder, "dist");
}
