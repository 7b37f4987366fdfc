/**
 * @file Checks the package as users get it: publint and arethetypeswrong on the tarball, links that lead somewhere, and
 * the tarball installed in an empty folder, where the command trains, the import works and the types check.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), "rmtrain-package-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Runs a command and returns what it printed; a failure ends the check with its output. */
function run(command, args, cwd) {
  console.log(`$ ${command} ${args.join(" ")}`);
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    console.error(`${error.stdout ?? ""}${error.stderr ?? ""}${error.message}`);
    process.exit(1);
  }
}

function fail(problem) {
  console.error(problem);
  process.exit(1);
}

const tool = (name) => join(root, "node_modules/.bin", name);

// The build is there already: bin/setup has made it.
const [pack] = JSON.parse(
  run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], root),
);
const tarball = join(folder, pack.filename);
const packed = new Set(pack.files.map(({ path }) => path));
console.log(`${pack.filename}: ${packed.size} files, ${pack.size} bytes`);

for (const file of [...packed].filter((path) => path.endsWith(".md"))) {
  const text = readFileSync(join(root, file), "utf8");
  for (const [, link] of text.matchAll(/\]\((?![a-z]+:|#)([^)\s#]+)[^)]*\)/g)) {
    const target = posix.normalize(posix.join(posix.dirname(file), link)).replace(/\/$/, "");
    const isThere = packed.has(target) || [...packed].some((path) => path.startsWith(`${target}/`));
    if (!isThere) fail(`${file}: the link to ${link} leads to nothing in the package`);
  }
}

run(tool("publint"), ["run", tarball, "--strict"], root);
run(tool("attw"), [tarball, "--profile", "esm-only"], root);

const user = join(folder, "user");
mkdirSync(user);
writeFileSync(join(user, "package.json"), JSON.stringify({ private: true, type: "module" }));
// As a user's project has it; the repository's own brings the declarations of Node.
run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", tarball], user);

const help = run("npx", ["rmtrain", "--help"], user);
if (!/Usage: rmtrain/.test(help)) fail(`npx rmtrain --help printed:\n${help}`);
const prefs = "node_modules/rmtrain/examples/prefs.jsonl";
run("npx", ["rmtrain", "--data", prefs, "--max-steps", "2", "--out", "run"], user);
run(
  "node",
  ["-e", 'import("rmtrain").then(({ train, RewardModel }) => process.exit(train && RewardModel ? 0 : 1))'],
  user,
);

writeFileSync(
  join(user, "use.ts"),
  `import { openGpu, RewardModel, type TrainResult, train } from "rmtrain";
export async function accuracy(): Promise<number | undefined> {
  using gpu = await openGpu();
  const result: TrainResult = await train(gpu, { model: "m", data: "d.jsonl", out: "o" });
  using model = await RewardModel.load(gpu, result.out);
  const rewards: number[] = await model.score(["text"]);
  return rewards[0] ?? result.evaluation?.accuracy.accuracy;
}
`,
);
// With skipLibCheck, as tsc --init has it: @webgpu/types needs the DOM's types, and from TypeScript 7 on repeats some.
const common = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"];
const types = ["--typeRoots", join(root, "node_modules/@types"), "--types", "node"];
for (const [module_, resolution, lib] of [
  ["nodenext", "nodenext", "es2023,esnext.disposable"],
  ["esnext", "bundler", "es2023,esnext.disposable,dom"],
]) {
  const modules = ["--module", module_, "--moduleResolution", resolution, "--lib", lib];
  run(tool("tsc"), [...common, ...modules, ...types, "use.ts"], user);
}
console.log("The package is good.");
