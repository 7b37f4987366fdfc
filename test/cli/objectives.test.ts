/** @file `rmtrain objectives`: every loss and every cell, as text and as JSON. */
import { expect, it } from "vitest";
import { lossNames } from "../../src/train/losses/loss.ts";
import type { ObjectiveTable } from "../../src/train/objective-table.ts";
import { findObjective, objectiveNames } from "../../src/train/objectives.ts";
import { rewardNames } from "../../src/train/rewards/reward.ts";
import { rmtrain } from "./run-rmtrain.ts";

it("--json: what it calls defined is, and what it refuses is refused for the same reason", async () => {
  const { code, out, err } = await rmtrain(["objectives", "--json"]);
  expect(code, err).toBe(0);
  const table = JSON.parse(out) as ObjectiveTable;
  expect(table.losses.map(({ loss }) => loss)).toEqual([...lossNames]);
  for (const { loss, cells, forms } of table.losses) {
    for (const reward of rewardNames) {
      // A cell is defined where one of the reward's forms is.
      const form = table.forms.find(({ name }) => forms[name] === undefined)?.name;
      const find = () =>
        findObjective({
          objective: "bt",
          loss,
          reward,
          trainable: "full",
          centerRewardsCoefficient: 0,
          ...(reward === "implicit" ? { form } : {}),
        });
      const { refused } = cells[reward];
      if (refused === undefined) expect(find().loss.name).toBe(loss);
      else expect(find).toThrow(refused);
    }
    for (const { name } of table.forms) {
      const find = () =>
        findObjective({
          objective: "bt",
          loss,
          reward: "implicit",
          form: name,
          trainable: "full",
          centerRewardsCoefficient: 0,
        });
      const refused = forms[name];
      if (refused === undefined) expect(find().form?.name).toBe(name);
      else expect(find).toThrow(refused);
    }
  }
  expect(table.objectives.map(({ objective }) => objective)).toEqual([...objectiveNames]);
});

it("the text names every loss, alias, form and objective, and says why cells are empty", async () => {
  const { code, out, err } = await rmtrain(["objectives"]);
  expect(code, err).toBe(0);
  for (const word of [...lossNames, ...objectiveNames, "exo_pair", "sppo_hard", "simpo", "arXiv 2402.01306"])
    expect(out).toContain(word);
  expect(out).toMatch(/logistic +pairs +bt +dpo +dpo simpo cpo orpo\n/);
  expect(out).toMatch(/nca +pairs +yes +no +yes\n/);
  expect(out).toMatch(/\nno: .*constant for each prompt/);
  expect(out).not.toContain("undefined");
});

it("train refuses a combination before it looks at any file", async () => {
  const run = (...args: string[]) => rmtrain(["train", "--data", "none.jsonl", "--model", "none", ...args]);
  const unknown = await run("--loss", "sigmoid_norm");
  expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("--form norm")]);
  const smoothing = await run("--label-smoothing", "0.5");
  expect([smoothing.code, smoothing.err]).toEqual([2, expect.stringContaining("from 0 up to 0.5")]);
});
