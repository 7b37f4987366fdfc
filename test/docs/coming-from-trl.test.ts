/** @file docs/coming-from-trl.md names flags that there are, with the defaults that they have. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { expect, it } from "vitest";
import { register as check } from "../../src/cli/check.ts";
import { register as train } from "../../src/cli/train/train.ts";
import { implicitRates, trainableDefaults } from "../../src/train/options.ts";
import { readRunFile } from "../../src/train/run-file.ts";
import { jsonl } from "../train/records.ts";

const text = readFileSync("docs/coming-from-trl.md", "utf8");
const root = new Command("rmtrain");
for (const register of [train, check]) register(root);
const options = root.commands.find((command) => command.name() === "train")?.options ?? [];

/** The second column of every table: what stands there is ours. */
const ours = text
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| ---"))
  .map((line) => line.split(/(?<!\\) ?\| ?/)[2] ?? "");

it("every flag of ours exists", () => {
  const named = ours.flatMap((cell) => [...cell.matchAll(/`(--[a-z-]+)/g)].map(([, flag]) => flag ?? ""));
  expect(named.length).toBeGreaterThan(40);
  const known = options.flatMap(({ long }) => long ?? []);
  expect(named.filter((flag) => !known.includes(flag))).toEqual([]);
});

it("every default of ours is the flag's", () => {
  const stated = ours.flatMap((cell) => [
    ...cell.matchAll(/`--([a-z-]+)` (?:default )?([\d.]+(?:e-\d+)?|linear|cosine|constant)/g),
  ]);
  expect(stated.length).toBeGreaterThan(10);
  for (const [, flag = "", value = ""] of stated) {
    if (flag === "max-length") continue; // the model's positions may be fewer
    const option = options.find(({ long }) => long === `--${flag}`);
    expect(String(option?.defaultValue), flag).toBe(
      String(Number.isNaN(Number(value)) ? value : Number(value)),
    );
  }
});

it("rates and epochs are those of what learns", () => {
  const rates = ours.find((cell) => cell.startsWith("`--lr`: ")) ?? "";
  const stated = [...rates.matchAll(/1e-\d/g)].map(([value]) => Number(value));
  const { head, lora, full } = trainableDefaults;
  expect(stated).toEqual([head.lr, lora.lr, full.lr, implicitRates.lora, implicitRates.full]);
  const epochs = ours.find((cell) => cell.startsWith("`--epochs`: ")) ?? "";
  expect(epochs).toContain(`${head.epochs} for a head alone, else ${lora.epochs}`);
  expect(full.epochs).toBe(lora.epochs);
});

it("the JSON example is a file for --config", async () => {
  const [, example = ""] = text.match(/```json\n([\s\S]*?)```/) ?? [];
  const { options: read } = await readRunFile(jsonl([example], "config.json"));
  expect(read).toEqual({
    model: "models/base",
    data: "pairs.jsonl",
    trainable: "lora",
    lr: 1e-4,
    centerRewardsCoefficient: 0.01,
  });
});
