/** @file The rooms of src/ import one way: cli -> serve -> audit -> train -> (model, data) -> kernels -> tensor -> gpu. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const src = fileURLToPath(new URL("../../src", import.meta.url));

/** Lower rooms first; rooms on one level may use each other. */
const levels = [
  ["gpu"],
  ["tensor"],
  ["kernels"],
  ["model", "data"],
  ["train"],
  ["audit"],
  ["serve"],
  ["cli"],
];
const levelOf = (room: string) => levels.findIndex((rooms) => rooms.includes(room));

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.split(sep).join("/"));

/** Paths below src/ that a file imports or re-exports, also by import() and as types. */
function importsOf(file: string): string[] {
  const code = readFileSync(join(src, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const specifiers = [...code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.[^"]*)"/g)].map(
    ([, s]) => s ?? "",
  );
  return specifiers.map((s) =>
    relative(src, join(src, dirname(file), s))
      .split(sep)
      .join("/"),
  );
}

const roomOf = (file: string) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : undefined);

it("every folder of src/ is a room with a place in the order", () => {
  const rooms = new Set(files.map(roomOf).filter((room) => room !== undefined));
  expect([...rooms].filter((room) => levelOf(room) < 0)).toEqual([]);
  expect(files.filter((file) => roomOf(file) === undefined).sort()).toEqual(["errors.ts", "index.ts"]);
});

it("imports name files that exist", () => {
  const missing = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => !files.includes(target))
      .map((target) => `${file} -> ${target}`),
  );
  expect(missing).toEqual([]);
});

it("no room imports from a higher one, and none from index.ts", () => {
  const wrong = files.flatMap((file) => {
    const from = roomOf(file);
    return importsOf(file)
      .filter((target) => {
        const to = roomOf(target);
        if (from === undefined) return file === "errors.ts";
        return to === undefined ? target !== "errors.ts" : levelOf(to) > levelOf(from);
      })
      .map((target) => `${file} -> ${target}`);
  });
  expect(wrong).toEqual([]);
});

it("nothing below the command line knows of commander, progress bars or the process's end", () => {
  const wrong = files.filter(
    (file) =>
      roomOf(file) !== "cli" &&
      /"commander"|"cli-progress"|process\.(exit|exitCode)\b/.test(readFileSync(join(src, file), "utf8")),
  );
  expect(wrong).toEqual([]);
});

/** What a file loads before its first line runs: below src/, and packages. */
function loadedBy(file: string): { readonly files: string[]; readonly packages: string[] } {
  const code = readFileSync(join(src, file), "utf8");
  const statements = /^(?:import|export)\s+(?!type\b)(?:[^;"]*?\bfrom\s*)?"([^"]+)"/gm;
  const specifiers = [...code.matchAll(statements)].map(([, s]) => s ?? "");
  const own = specifiers.filter((s) => s.startsWith("."));
  return {
    files: own.map((s) => join(dirname(file), s).split(sep).join("/")),
    packages: specifiers.filter((s) => !s.startsWith(".")),
  };
}

it.each(["cli/train/train.ts", "cli/bench.ts", "cli/score.ts", "index.ts"])(
  "%s loads nothing at its start that few commands need",
  (start) => {
    const seen = new Set([start]);
    const packages = new Set<string>();
    for (const file of seen) {
      const loaded = loadedBy(file);
      for (const next of loaded.files) seen.add(next);
      for (const name of loaded.packages) packages.add(name);
    }
    expect(seen.size).toBeGreaterThan(100);
    expect(packages).toContain("zod");
    const seldom = ["@observablehq/plot", "linkedom", "hyparquet", "hyparquet-compressors", "@wandb/sdk"];
    expect(seldom.filter((name) => packages.has(name))).toEqual([]);
  },
);
