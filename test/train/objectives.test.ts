/** @file Objectives: one table of rewards and losses, what it refuses, and that both names lead to the same bits. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { findObjective, objectiveNames } from "../../src/train/objectives.ts";
import type { TrainOptions } from "../../src/train/options.ts";
import { rewardNames } from "../../src/train/rewards/reward.ts";
import { tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";
import { trainOptions } from "./given-features.ts";
import { expectRefused, type IdRecord, idPairs, jsonl, run } from "./records.ts";

const gpu = useGpu();
const src = fileURLToPath(new URL("../../src/train", import.meta.url));

/** What the files of a folder of src/train import, but from that folder itself. */
function imports(folder: string): string[] {
  return readdirSync(join(src, folder)).flatMap((file) => {
    const code = readFileSync(join(src, folder, file), "utf8");
    return [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]*)"/g)].flatMap(([, target = ""]) =>
      target.startsWith("./") ? [] : [target],
    );
  });
}

describe("the table", () => {
  it("losses know tensors of rewards, and nothing that says where rewards come from", () => {
    const known = /^\.\.\/\.\.\/(gpu|tensor)\/|^\.\.\/\.\.\/kernels\/pairwise-/;
    expect(imports("losses").filter((target) => !known.test(target))).toEqual([]);
    expect(imports("losses")).not.toEqual([]);
  });

  it("rewards know no loss", () => {
    const wrong = imports("rewards").filter((target) => /loss|pairwise|objectives/.test(target));
    expect(wrong).toEqual([]);
    expect(imports("rewards")).not.toEqual([]);
  });

  it("has a loss and a reward in every cell that it does not refuse", () => {
    const cells = objectiveNames.flatMap((objective) =>
      [undefined, ...rewardNames].map((reward) => {
        const options = { ...trainOptions(), objective, reward };
        try {
          const found = findObjective(options);
          return [objective, reward, found.loss.name, found.reward.name];
        } catch (error) {
          return [objective, reward, error instanceof Error ? error.constructor.name : ""];
        }
      }),
    );
    expect(cells).toEqual([
      ["bt", undefined, "logistic", "scalar"],
      ["bt", "scalar", "logistic", "scalar"],
      ["bt", "tilted", "logistic", "tilted"],
      ["dpo", undefined, "logistic", "tilted"],
      ["dpo", "scalar", "InputError"],
      ["dpo", "tilted", "logistic", "tilted"],
    ]);
  });
});

const pairs = idPairs(40).map((r, i) => ({ ...r, label: [1, 0.8, 0.5][i % 3], margin: (i % 4) / 8 }));

it("bt and dpo train to the same bytes: the code is one", async () => {
  const model = await tinyModel({ family: "llama" });
  const data = jsonl(pairs);
  const files = async (options: Partial<TrainOptions>) => {
    const { out } = await run(gpu(), { model, data, logEvery: 2, evalSplit: 0.2, ...options });
    return ["model.safetensors", "config.json", "metrics.jsonl"].map((name) =>
      readFileSync(join(out, name)).toString("hex"),
    );
  };
  const bt = await files({ objective: "bt" });
  expect(await files({ objective: "dpo" })).toEqual(bt);
  expect(await files({ objective: "bt", reward: "tilted" })).toEqual(bt);
  expect((await files({ objective: "dpo", seed: 1 }))[0], "the comparison can fail").not.toBe(bt[0]);
});

describe("is refused before any device is opened, with the reason:", () => {
  it.each<[string, Partial<TrainOptions>, RegExp]>([
    [
      "a policy's objective on a reward that is no policy's",
      { objective: "dpo", reward: "scalar" },
      /^--objective dpo with --reward scalar is not defined: .*log-ratio.*--reward tilted.*--objective bt/,
    ],
    [
      "centering of a reward that has a constant for each prompt",
      { objective: "dpo", centerRewardsCoefficient: 0.01 },
      /^--center-rewards-coefficient with --reward tilted is not defined: .*log Z\(x\).*constant for each prompt/,
    ],
    ["an unknown name", { objective: "ppo" as "dpo" }, /^objective is one of bt, dpo, not ppo$/],
  ])("%s", async (_, options, message) => {
    const model = await tinyModel({ family: "llama" });
    await expectRefused({ model, data: jsonl(pairs), ...options }, message);
  });
});

it("tilted says what the prompt is of records that give none", async () => {
  const model = await tinyModel({ family: "llama" });
  const notesOf = async (records: readonly IdRecord[], options: Partial<TrainOptions>) => {
    const { notes } = await run(gpu(), {
      model,
      data: jsonl(records),
      evalSplit: 0,
      maxSteps: 1,
      ...options,
    });
    return notes.filter((note) => note.startsWith("reward tilted"));
  };
  const whole = idPairs(10).map(({ prompt_ids, chosen_ids, rejected_ids }, i) => ({
    prompt_ids: [],
    chosen_ids: i === 3 ? [39, ...chosen_ids] : [...prompt_ids, ...chosen_ids],
    rejected_ids: [...prompt_ids, ...rejected_ids],
  }));
  expect(await notesOf(whole, { objective: "dpo" })).toEqual([
    "reward tilted: 10 of 10 pairs give no prompt: it is the longest common prefix of their sides; 1 of them begin differently, their prompt is empty",
  ]);
  expect(await notesOf(whole, { objective: "bt" })).toEqual([]);
  expect(await notesOf(idPairs(10), { objective: "dpo" })).toEqual([]);
});
