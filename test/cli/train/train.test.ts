/** @file `rmtrain train` as a process: the default command, exit codes, stdout and stderr, help, and `score` after it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { register } from "../../../src/cli/train/train.ts";
import { trainDefaults } from "../../../src/train/options.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { realModel } from "../../reference/goldens.ts";
import { idPairs, jsonl } from "../../train/records.ts";
import { finished, rmtrain, spawnRmtrain } from "../run-rmtrain.ts";

/** The command in this process; its action does not run where the arguments are refused. */
function program(): { readonly root: Command; readonly err: () => string } {
  const printed: string[] = [];
  const root = new Command("rmtrain").exitOverride();
  register(root);
  const output = { writeErr: (text: string) => void printed.push(text) };
  for (const command of [root, ...root.commands]) command.exitOverride().configureOutput(output);
  return { root, err: () => printed.join("") };
}

const texts = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    prompt: `Story ${i % 5}. `,
    chosen: `The cat was happy ${i}.`,
    rejected: `A sad ${i} dog, and no more of it.`,
    kind: i % 2 ? "odd" : "even",
  }));

it("trains without naming the command; the summary goes to stdout, progress to stderr; score repeats the rewards", async () => {
  const out = join(temporaryFolder(), "run");
  const model = realModel("stories260k");
  const evalData = jsonl(texts(9), "held.jsonl");
  const trained = await rmtrain([
    "--data",
    jsonl(texts(20)),
    "--eval-data",
    evalData,
    "--model",
    model,
    "--out",
    out,
    "--epochs",
    "2",
  ]);
  expect(trained.err).not.toMatch(/defect/);
  expect(trained.code).toBe(0);
  expect(trained.out).toMatch(
    /Saved .*\n.*\n.*\n[\s\S]*accuracy {3}[01]\.\d{3} {2}95 % interval[\s\S]*By kind:[\s\S]*Next:\n/,
  );
  expect(trained.err).toMatch(/^20 training pairs, 9 held out/m);
  expect(trained.err).toMatch(/^Device: .+/m);
  expect(trained.err).toMatch(/^step 2\/2 loss/m);
  expect(readdirSync(out).sort()).toEqual([
    "README.md",
    "checkpoint-1",
    "checkpoint-2",
    "config.json",
    "metrics.jsonl",
    "model.safetensors",
    "report.html",
    "run.json",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);

  const again = join(temporaryFolder(), "run");
  const flags = ["--eval-data", evalData, "--model", model, "--out", again, "--epochs", "2", "--json"];
  const asJson = await rmtrain(["train", "--data", jsonl(texts(20)), ...flags]);
  const result = JSON.parse(asJson.out);
  expect(result).toMatchObject({
    out: again,
    totalSteps: 2,
    evaluation: { accuracy: { n: 9 } },
    train: { records: 20 },
  });
  const bytes = (dir: string) => readFileSync(join(dir, "model.safetensors"));
  expect(bytes(again).equals(bytes(out))).toBe(true);

  const scored = await rmtrain(["score", "--model", out, "--data", evalData]);
  expect(scored.code).toBe(0);
  const lines = scored.out
    .trimEnd()
    .split("\n")
    .map((l) => JSON.parse(l));
  expect(lines.map((l) => [l.reward_chosen, l.reward_rejected])).toEqual(
    result.rewards.map((r: { chosen: number; rejected: number }) => [r.chosen, r.rejected]),
  );
});

describe("--help", () => {
  it("lists every option with its default", () => {
    const help = program().root.commands[0]?.helpInformation().replace(/\s+/g, " ") ?? "";
    const flag = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    for (const [name, value] of Object.entries(trainDefaults)) {
      if (["overlong", "maxShardSize", "cacheLimit"].includes(name)) continue;
      if (value === true) expect(help).toMatch(new RegExp(`--no-${flag(name)} [^-].*?\\(default: `));
      else if (value === false) expect(help).toMatch(new RegExp(`--${flag(name)} [^-<].*?\\(default: `));
      else
        expect(help, name).toMatch(
          new RegExp(`--${flag(name)} <[^(]*(\\([^)]*\\)[^(]*)*\\((choices: [^)]*, )?default: "?${value}"?`),
        );
    }
    for (const [option, text] of [
      ["model", "default: models/base"],
      ["out", "default: runs/<time>"],
      ["trainable", 'choices: "head", "lora", "full", default: "head"'],
      [
        "lr",
        "default: 0.01 for head, 1e-4 for lora, 1e-5 for full; of implicit rewards 1e-5 for lora, 1e-6 for full",
      ],
      [
        "reward",
        "default: scalar for bt; implicit for dpo, .*; with --trainable head tilted for dpo, scalar for kto",
      ],
      ["epochs", "default: 20 for head, 1 for lora, 1 for full"],
      ["head-lr", "default: --lr"],
      ["lora-r", "default: 16"],
      ["lora-targets", "default: all-linear"],
      ["gradient-checkpointing", "default: off"],
      ["eval-split", "default: by the records'.* 0.1"],
      ["max-length", "default: 1024 or the model's positions"],
      ["truncate", "default: leave the pair out"],
      ["memory-budget", "default: 4GiB"],
      ["max-shard-size", "default: 50GB"],
      ["feature-cache", "default: off"],
      ["cache-limit", "default: 4GiB"],
      ["config", "flags override it \\(default: none\\)"],
      ["json", "default: a summary"],
    ] as const)
      expect(help, option).toMatch(new RegExp(`--${option}\\b.*${text}`));
    for (const option of ["data", "eval-data", "max-steps", "warmup-steps"])
      expect(help).toContain(`--${option} <`);
  });
});

describe("exit code 2, a reason, and nothing written", () => {
  it.each<[string, readonly string[], RegExp]>([
    ["no --data", [], /--data <file\.\.\.>' not specified/],
    ["an unknown option", ["--data", "x", "--leanring-rate", "1"], /unknown option '--leanring-rate'/],
    ["a rate below 0", ["--data", "x", "--lr", "-1"], /--lr <rate>.*at least 0/],
    ["no whole number", ["--data", "x", "--batch-size", "2.5"], /--batch-size <n>.*whole number above 0/],
    ["a share of 1", ["--data", "x", "--eval-split", "1"], /--eval-split <share>.*share from 0 up to 1/],
    [
      "another schedule",
      ["--data", "x", "--schedule", "warmup"],
      /Allowed choices are linear, cosine, constant/,
    ],
    [
      "two ways to hold out",
      ["--data", "x", "--eval-data", "y", "--eval-split", "0.2"],
      /cannot be used with/,
    ],
  ])("%s", async (_, args, message) => {
    const { root, err } = program();
    const refused = root.parseAsync(["train", ...args], { from: "user" });
    await expect(refused).rejects.toBeInstanceOf(CommanderError);
    expect(err()).toMatch(message);
  });

  it("the same in a process of its own", async () => {
    const out = join(temporaryFolder(), "run");
    const { code, out: printed, err } = await rmtrain(["train", "--out", out, "--data", "x", "--lr", "-1"]);
    expect(err).toMatch(/^error: option '--lr <rate>'.*\n.*--help/);
    expect([code, printed, existsSync(out)]).toEqual([2, "", false]);
  });

  it("a bad line", async () => {
    const out = join(temporaryFolder(), "run");
    const model = await tinyModel({ family: "llama" });
    const data = jsonl([...idPairs(3), { chosen_ids: [1] }]);
    const { code, err } = await rmtrain(["--data", data, "--model", model, "--out", out]);
    expect(err).toBe(`rmtrain: ${data}:4: rejected_ids: missing\n`);
    expect([code, existsSync(out)]).toEqual([2, false]);
  });
});

it("a loss that is not finite: exit code 1, the step, no checkpoint", async () => {
  const out = join(temporaryFolder(), "run");
  const model = await tinyModel({ family: "llama" });
  const data = jsonl(idPairs(8).map((r, i) => ({ ...r, margin: i === 5 ? 1e39 : 0 })));
  const flags = ["--no-shuffle", "--batch-size", "4", "--eval-split", "0", "--out", out];
  const { code, err } = await rmtrain(["--data", data, "--model", model, ...flags]);
  expect(err).toMatch(/^rmtrain: The loss or its gradient was not finite at step 2;/m);
  expect([code, readdirSync(out)]).toEqual([1, ["run.json"]]);
});

it("interrupted while it trains: a state, no model, whole lines of metrics", async () => {
  const out = join(temporaryFolder(), "run");
  const model = await tinyModel({ family: "llama" });
  const flags = ["--max-steps", "1000000", "--log-every", "1", "--eval-split", "0", "--out", out];
  const child = spawnRmtrain(["--data", jsonl(idPairs(40)), "--model", model, ...flags]);
  const metrics = join(out, "metrics.jsonl");
  while (!existsSync(metrics) && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill("SIGINT");
  expect((await finished(child)).code).toBe(130);
  const states = readdirSync(out).filter((name) => name.startsWith("checkpoint-"));
  expect(states.length).toBeGreaterThan(0);
  expect(readdirSync(out).sort()).toEqual([...states.sort(), "metrics.jsonl", "run.json"]);
  for (const text of readFileSync(metrics, "utf8").trimEnd().split("\n"))
    expect(JSON.parse(text)).toHaveProperty("step");
});
