/** @file Objectives: one table of rewards and losses, what it refuses, and that both names lead to the same bits. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.ts";
import { lossNames } from "../../src/train/losses/loss.ts";
import { findLoss, losses } from "../../src/train/losses/table.ts";
import { findObjective, type ObjectiveOptions, objectiveNames } from "../../src/train/objectives.ts";
import type { TrainOptions } from "../../src/train/options.ts";
import { type RewardName, rewardNames } from "../../src/train/rewards/reward.ts";
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
    const known = /^\.\.\/\.\.\/(gpu|tensor)\/|^\.\.\/\.\.\/kernels\/(pair|row|list|text)-loss/;
    expect(imports("losses").filter((target) => !known.test(target))).toEqual([]);
    expect(imports("losses")).not.toEqual([]);
  });

  it("rewards know no loss", () => {
    const wrong = imports("rewards").filter((target) => /loss|pairwise|objectives/.test(target));
    expect(wrong).toEqual([]);
    expect(imports("rewards")).not.toEqual([]);
  });

  it("has a loss and a reward in every cell that it does not refuse", () => {
    const cells = (["head", "lora"] as const).flatMap((trainable) =>
      objectiveNames.flatMap((objective) =>
        [undefined, ...rewardNames].map((reward) => {
          try {
            const found = findObjective({ ...trainOptions(), trainable, objective, reward });
            return [found.loss.name, found.reward.name, found.form?.name].filter(Boolean).join(" ");
          } catch (error) {
            return error instanceof InputError ? "refused" : String(error);
          }
        }),
      ),
    );
    const row = (at: number) => cells.slice(4 * at, 4 * at + 4);
    // Undefined, scalar, tilted, implicit: first for a lone head, then for more.
    expect(row(0)).toEqual(["logistic scalar", "logistic scalar", "logistic tilted", "refused"]);
    expect(row(1)).toEqual(["logistic tilted", "refused", "logistic tilted", "refused"]);
    expect(row(2)).toEqual(["refused", "refused", "refused", "refused"]);
    expect(row(5)).toEqual(["kto scalar", "kto scalar", "refused", "refused"]);
    for (const own of [6, 7]) expect(row(own)).toEqual(["refused", "refused", "refused", "refused"]);
    expect(row(8)).toEqual([
      "logistic scalar",
      "logistic scalar",
      "logistic tilted",
      "logistic implicit dpo",
    ]);
    expect(row(9)).toEqual(["logistic implicit dpo", "refused", "logistic tilted", "logistic implicit dpo"]);
    for (const [i, form] of ["simpo", "cpo", "orpo"].entries())
      expect(row(10 + i)).toEqual([
        `logistic implicit ${form}`,
        "refused",
        "refused",
        `logistic implicit ${form}`,
      ]);
    expect(row(13)).toEqual(["kto implicit dpo", "kto scalar", "refused", "kto implicit dpo"]);
    expect(row(14)).toEqual(["nll implicit lm", "refused", "refused", "nll implicit lm"]);
    expect(row(15)).toEqual(["cringe implicit cringe", "refused", "refused", "cringe implicit cringe"]);
  });

  it("every loss goes with the scalar and the implicit reward, and with tilted where it sees differences alone", () => {
    for (const loss of lossNames.filter((name) => name !== "nll" && name !== "cringe")) {
      const of = (reward: RewardName) => () =>
        findObjective({ ...trainOptions(), trainable: "full", objective: "bt", loss, reward });
      expect(of("scalar")().loss.name).toBe(loss);
      expect(of("implicit")().loss.name).toBe(loss);
      if (losses[loss].differences) expect(of("tilted")().loss.name).toBe(loss);
      else expect(of("tilted"), loss).toThrow(/constant for each prompt/);
    }
  });

  it("other systems' names lead to the same losses, and no name to two", () => {
    const of = (loss: string) => findLoss(loss)?.name;
    const trl = [
      "sigmoid",
      "hinge",
      "ipo",
      "exo_pair",
      "nca_pair",
      "robust",
      "bco_pair",
      "sppo_hard",
      "apo_zero",
      "apo_down",
      "discopop",
    ];
    expect(trl.map(of)).toEqual([
      "logistic",
      "hinge",
      "ipo",
      "exo",
      "nca",
      "robust",
      "bco",
      "sppo",
      "apo-zero",
      "apo-down",
      "discopop",
    ]);
    const all = lossNames.flatMap((name) => [name, ...losses[name].aliases]);
    expect(new Set(all).size).toBe(all.length);
    const refused = (loss: string) => () => findObjective({ ...trainOptions(), loss });
    expect(refused("aot")).toThrow(/--loss aot.*rmtrain objectives/);
    expect(refused("sigmoid_norm")).toThrow(/--loss logistic on the reward --form norm/);
    expect(refused("simpo")).toThrow(/--objective simpo/);
    expect(refused("toString")).toThrow(/no such loss/);
  });

  it("numbers follow the reward and the loss: β of the form, 1 for a head; ε of exo; γ as a margin", () => {
    const of = (options: Partial<ObjectiveOptions>) =>
      findObjective({ ...trainOptions(), trainable: "full", ...options });
    expect(of({ objective: "bt", loss: "ipo" }).constants.beta).toBe(1);
    expect(of({ objective: "bt", loss: "ipo", beta: 0.5 }).constants.beta).toBe(0.5);
    expect(of({ objective: "dpo", loss: "ipo" }).constants.beta).toBe(0.1);
    expect(of({ objective: "dpo", loss: "ipo", form: "norm", beta: 0.3 })).toMatchObject({
      constants: { beta: 0.3 },
      form: { name: "norm", normalise: "mean", reference: true, beta: 0.3 },
      margin: 0,
    });
    expect(of({ objective: "dpo", loss: "exo" }).constants.labelSmoothing).toBe(1e-3);
    expect(of({ objective: "dpo", labelSmoothing: 0.1 }).constants.labelSmoothing).toBe(0.1);
    expect(of({ objective: "simpo", gamma: 0.5 })).toMatchObject({
      margin: 0.5,
      form: { beta: 2, reference: false },
    });
    expect(of({ objective: "cpo", nllWeight: 0.2 }).form).toMatchObject({ nll: 0.2, normalise: "sum" });
    expect(of({ objective: "simpo", loss: "nca", gamma: 0 })).toMatchObject({
      margin: 0,
      loss: { name: "nca" },
    });
    expect(of({ objective: "cpo", loss: "kto", nllWeight: 0 }).loss.name).toBe("kto");
    // ORPO's λ weighs the loss; the log-odds themselves have no β.
    expect(of({ objective: "orpo", loss: "ipo", beta: 0.2 })).toMatchObject({
      constants: { beta: 1 },
      form: { beta: 0.2, odds: true, weighsLoss: true },
    });
  });

  it.each<[Partial<ObjectiveOptions>, RegExp]>([
    [{ objective: "bt", beta: 0.1 }, /--beta with --loss logistic.*a reward head has no β/],
    [
      { objective: "bt", loss: "hinge", labelSmoothing: 0.1 },
      /--label-smoothing with --loss hinge.*smooths no labels/,
    ],
    [{ objective: "bt", loss: "exo", labelSmoothing: 0 }, /log ε/],
    [{ objective: "bt", discopopTau: 0.1 }, /--discopop-tau with --loss logistic/],
    [{ objective: "bt", desirableWeight: 2 }, /--desirable-weight with --loss logistic/],
    [{ objective: "bt", form: "simpo" }, /--form with --reward scalar.*implicit reward/],
    [{ objective: "bt", gamma: 1 }, /--gamma with --reward scalar/],
    [{ objective: "simpo", loss: "nca" }, /--loss nca with γ 1 \(--form simpo\).*takes no margin. --gamma 0/],
    [{ objective: "dpo", loss: "bco", gamma: 1 }, /--loss bco with γ 1.*no margin/],
    [{ objective: "orpo", loss: "kto" }, /--loss kto with α 1 \(--form orpo\).*chosen reply/],
    [{ objective: "kto", nllWeight: 1 }, /--loss kto with α 1/],
    [
      { objective: "kto", reward: "scalar", centerRewardsCoefficient: 0.1 },
      /--center-rewards-coefficient with --loss kto/,
    ],
    [{ objective: "dpo", trainable: "head", reward: "implicit" }, /--trainable head.*--reward tilted/],
  ])("refuses %j with the reason", (options, message) => {
    expect(() => findObjective({ ...trainOptions(), trainable: "full", ...options })).toThrow(message);
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
    [
      "an unknown name",
      { objective: "ppo" as "dpo" },
      /^objective is one of bt, dpo, simpo, cpo, orpo, kto, lm, cringe, not ppo$/,
    ],
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
