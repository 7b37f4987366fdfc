/** @file The README's TypeScript example is what a user can paste: it type-checks, and it runs. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const [, example = ""] =
  readFileSync(join(root, "README.md"), "utf8").match(/^```ts\n([\s\S]*?)^```$/m) ?? [];

/** A package of the user's, in which "rmtrain" is this repository's source. */
const folder = mkdtempSync(join(tmpdir(), "rmtrain-readme-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "example.ts");
const config = join(folder, "tsconfig.json");
mkdirSync(join(folder, "home"));
symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
writeFileSync(file, example);
writeFileSync(
  config,
  JSON.stringify({
    extends: join(root, "tsconfig.json"),
    compilerOptions: { paths: { rmtrain: [join(root, "src/index.ts")] } },
    include: [file],
  }),
);

it("README.md has a TypeScript example", () => {
  expect(example).toMatch(/from "rmtrain"/);
});

describe.concurrent("the example", () => {
  it("it type-checks", async () => {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const checked = await run(process.execPath, [tsc, "--noEmit", "-p", config]).catch((error) => error);
    expect(checked).toEqual({ stdout: "", stderr: "" });
  });

  it("it runs, and prints the trace of its text", async () => {
    const env = { ...process.env, TSX_TSCONFIG_PATH: config, TMPDIR: join(folder, "home") };
    const tsx = import.meta.resolve("tsx");
    const { stdout } = await run(process.execPath, ["--import", tsx, file], { cwd: root, env });
    const [accuracy = "", ...lines] = stdout.trimEnd().split("\n");
    const share = Number(accuracy.match(/[\d.]+$/)?.[0]);
    expect(share).toBeGreaterThan(0.5);
    expect(share).toBeLessThanOrEqual(1);
    expect(lines.at(-1)).toContain("I love you");
  });
});
