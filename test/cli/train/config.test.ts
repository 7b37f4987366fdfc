/** @file `rmtrain train --config`: flags over the file over the defaults, and what is said of a run that is repeated. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { type Flags, resolveOptions } from "../../../src/cli/train/resolve.ts";
import { register } from "../../../src/cli/train/train.ts";
import { trainDefaults } from "../../../src/train/options.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { idPairs, jsonl } from "../../train/records.ts";
import { rmtrain } from "../run-rmtrain.ts";

/** What `train` would be told with these flags and this file. */
async function resolved(file: Record<string, unknown>, flags: readonly string[]) {
  const config = join(temporaryFolder(), "config.json");
  writeFileSync(config, JSON.stringify(file));
  const root = new Command("rmtrain").exitOverride();
  register(root);
  const command = root.commands[0] ?? expect.fail("no command");
  let options: unknown;
  command.exitOverride().configureOutput({ writeErr() {} });
  command.action(async (given: Flags) => {
    ({ options } = await resolveOptions(given, command));
  });
  await root.parseAsync(["train", "--config", config, ...flags], { from: "user" });
  return options;
}

describe("flags over the file over the defaults", () => {
  it.each<[string, Record<string, unknown>, readonly string[], Record<string, unknown>]>([
    ["the file", { data: "a", lr: 0.5 }, [], { data: "a", lr: 0.5, epochs: trainDefaults.epochs }],
    ["a flag", { data: "a", lr: 0.5 }, ["--lr", "0.1", "--data", "b"], { data: "b", lr: 0.1 }],
    ["several files", { data: "a" }, ["--data", "b", "c", "--data", "d"], { data: ["b", "c", "d"] }],
    ["several files of the file", { data: ["a", "b"] }, [], { data: ["a", "b"] }],
    [
      "names of fields",
      { data: "a" },
      ["--columns", "rejected=c,prompt=p", "--columns", "margin="],
      { columns: { rejected: "c", prompt: "p", margin: "" } },
    ],
    [
      "names of fields of the file",
      { data: "a", columns: { chosen: "b" } },
      [],
      { columns: { chosen: "b" } },
    ],
    ["a flag that says the default", { data: "a", epochs: 3 }, ["--epochs", "20"], { epochs: 20 }],
    ["a switch of the file", { data: "a", eos: false, shuffle: false }, [], { eos: false, shuffle: false }],
    ["a switch", { data: "a", eos: true }, ["--no-eos"], { eos: false }],
    ["the cut of the file", { data: "a", truncate: "left" }, [], { overlong: "left" }],
    ["the cut", { data: "a", truncate: "left" }, ["--truncate", "right"], { overlong: "right" }],
    ["out of the file", { data: "a", out: "mine" }, [], { out: "mine" }],
    ["no out", { data: "a" }, [], { out: expect.stringMatching(/^runs\/\d{4}-/) }],
  ])("%s", async (_, file, flags, expected) => {
    expect(await resolved(file, flags)).toMatchObject(expected);
  });

  it.each<[string, Record<string, unknown>, readonly string[], string]>([
    ["epochs against max_steps", { max_steps: 5 }, ["--epochs", "2"], "maxSteps"],
    ["a share against eval_data", { eval_data: "b" }, ["--eval-split", "0.2"], "evalData"],
    ["a warm-up in steps", { warmup_steps: 4 }, ["--warmup-ratio", "0.3"], "warmupSteps"],
  ])("%s: the file's is void, else it would overrule the flag", async (_, file, flags, gone) => {
    expect(await resolved({ data: "a", ...file }, flags)).not.toHaveProperty(gone);
  });

  it("no data anywhere is a usage error", async () => {
    await expect(resolved({ lr: 1 }, [])).rejects.toBeInstanceOf(CommanderError);
  });
});

it("a run repeated by its run.json gives the same weights; a file that changed since is named", async () => {
  const model = await tinyModel({ family: "llama" });
  const [data, out, again] = [jsonl(idPairs(9)), join(temporaryFolder(), "a"), join(temporaryFolder(), "b")];
  const flags = ["--data", data, "--model", model, "--eval-split", "0", "--epochs", "1", "--no-shuffle"];
  expect((await rmtrain([...flags, "--out", out])).code).toBe(0);

  const repeated = await rmtrain(["--config", join(out, "run.json"), "--out", again]);
  expect(repeated.code).toBe(0);
  expect(repeated.err).not.toMatch(/Not as in that run/);
  for (const file of ["run.json", "model.safetensors"])
    expect(readFileSync(join(again, file)).equals(readFileSync(join(out, file))), file).toBe(true);

  writeFileSync(data, `${readFileSync(data, "utf8")}${JSON.stringify(idPairs(1)[0])}\n`);
  const changed = await rmtrain(["--config", join(out, "run.json"), "--out", join(temporaryFolder(), "c")]);
  expect(changed.code).toBe(0);
  expect(changed.err).toMatch(/^Not as in that run: .*data\.jsonl does not hold the same records$/m);
});

it("a key that is no option: exit code 2, the key, and nothing written", async () => {
  const config = join(temporaryFolder(), "config.json");
  writeFileSync(config, '{"data": "x", "learning_rate": 1e-4}');
  const out = join(temporaryFolder(), "run");
  const { code, err } = await rmtrain(["--config", config, "--out", out]);
  expect(err).toMatch(/^rmtrain: .*config\.json: "learning_rate" is no option of a run/);
  expect([code, existsSync(out)]).toEqual([2, false]);
});
