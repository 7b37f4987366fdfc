/** @file Runs that cannot go well stop before any device is opened, say why, and write nothing. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RmtrainError } from "../../src/errors.ts";
import type { TrainOptions } from "../../src/train/options.ts";
import { train } from "../../src/train/train.ts";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { realModel } from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";
import { expectRefused, idPairs, jsonl, metricsOf, run } from "./records.ts";

const gpu = useGpu();
const tight = useGpu({ memoryBudget: 2 ** 20 });
const stories = realModel("stories260k");
const good = idPairs(4);

describe("records", () => {
  it.each<[string, readonly unknown[], RegExp]>([
    ["no JSON", [...good, "{chosen:"], /data\.jsonl:5: not valid JSON/],
    [
      "a missing side",
      [good[0], { prompt_ids: [1], chosen_ids: [2] }],
      /data\.jsonl:2: rejected_ids: missing/,
    ],
    [
      "an id outside the vocabulary",
      [good[0], { chosen_ids: [40], rejected_ids: [1] }],
      /data\.jsonl:2: token id 40 .*0 to 39/,
    ],
    [
      "a margin that is no number",
      [{ ...good[0], margin: "big" }],
      /data\.jsonl:1: margin: expected a finite number/,
    ],
    [
      "an empty sequence",
      [good[0], { chosen_ids: [], rejected_ids: [1] }],
      /data\.jsonl:2: an empty sequence/,
    ],
    [
      "text without a tokenizer",
      [...good, { chosen: "Yes", rejected: "No" }],
      /data\.jsonl:5: text needs a tokenizer: .* has no tokenizer\.json; put the model's tokenizer\.json there\. Records with ids/,
    ],
    [
      "a conversation for a model without a chat template",
      [
        {
          prompt: [{ role: "user", content: "Hi" }],
          chosen: [{ role: "assistant", content: "Hello" }],
          rejected: [{ role: "assistant", content: "No" }],
        },
      ],
      /data\.jsonl:1: a conversation needs a chat template, and .* has none .*--chat-template/,
    ],
    ["nothing", [], /data\.jsonl: no records/],
    [
      "one prompt only, and a share to hold out",
      [good[0], good[0]],
      /share one prompt.*--eval-data.*--eval-split 0/,
    ],
  ])("%s", async (_, records, message) => {
    await expectRefused({ model: await tinyModel({ family: "llama" }), data: jsonl(records) }, message);
  });

  it("a bad line among the held-out ones", async () => {
    const evalData = jsonl([...good, { chosen: "a" }], "held.jsonl");
    await expectRefused({ model: stories, data: jsonl(good), evalData }, /held\.jsonl:5: rejected: missing/);
  });

  it("all longer than the limit, unless they are cut", async () => {
    const model = await tinyModel({ family: "llama" });
    const options = { model, data: jsonl(good), evalSplit: 0, maxLength: 2 };
    await expectRefused(options, /none of 4 pairs is left.*--max-length 2.*--truncate/);
    const { dataset } = await run(gpu(), { ...options, overlong: "left" });
    expect(dataset.train.counts).toMatchObject({ records: 4, dropped: 0, truncated: [4, 4] });
  });

  it("a file that is not there", async () => {
    await expectRefused({ model: stories, data: "/nowhere/prefs.jsonl" }, /\/nowhere\/prefs\.jsonl/);
  });
});

it.each<[Partial<TrainOptions>, RegExp]>([
  [{ batchSize: 0 }, /^batchSize is a whole number above 0, not 0$/],
  [{ logEvery: 2.5 }, /^logEvery is a whole number above 0, not 2\.5$/],
  [{ lr: Number.NaN }, /^lr is a number of at least 0, not NaN$/],
  [{ epochs: Number.POSITIVE_INFINITY }, /^epochs is a number of at least 0, not Infinity$/],
  [{ seed: -1 }, /^seed is a whole number of at least 0, not -1$/],
  [{ evalSplit: 1 }, /^evalSplit is a share from 0 up to 1, not 1/],
])("options of the library's caller: %j", async (options, message) => {
  await expectRefused({ model: stories, data: jsonl(good), ...options }, message);
});

describe("models", () => {
  it("no folder, and a name of the Hub", async () => {
    const data = jsonl(good);
    await expectRefused({ model: "/nowhere", data }, /no folder \/nowhere/);
    await expectRefused({ model: "some-org/some-model", data }, /hf download some-org\/some-model/);
  });

  it("more tokens than learned positions", async () => {
    const model = await tinyModel({ family: "gpt2" });
    await expectRefused(
      { model, data: jsonl(good), maxLength: 49 },
      /--max-length 49: .* learned positions for 48/,
    );
    const { totalSteps } = await run(gpu(), { model, data: jsonl(good), maxLength: 48, maxSteps: 1 });
    expect(totalSteps).toBe(1);
  });

  it("a model type that is not known", async () => {
    const model = join(temporaryFolder(), "model");
    mkdirSync(model);
    writeFileSync(join(model, "config.json"), JSON.stringify({ model_type: "frob" }));
    await expectRefused({ model, data: jsonl(good) }, /frob/);
  });
});

describe("--out", () => {
  it.each(["config.json", "model.safetensors", "metrics.jsonl"])("a folder that holds %s", async (name) => {
    const out = temporaryFolder();
    writeFileSync(join(out, name), "");
    await expectRefused(
      { model: stories, data: jsonl(good), out },
      new RegExp(`holds a run already \\(${name}\\)`),
    );
  });

  it("a file, and a folder that cannot be made", async () => {
    const file = jsonl(good);
    await expectRefused({ model: stories, data: file, out: join(file, "x") }, /--out .* cannot be used/);
    const model = await tinyModel({ family: "llama" });
    const link = join(temporaryFolder(), "link");
    symlinkSync("/nowhere", link);
    await expectRefused({ model, data: jsonl(good), out: link }, /--out .* cannot be used/);
  });

  it("an empty folder is fine", async () => {
    const out = temporaryFolder();
    const model = await tinyModel({ family: "llama" });
    await run(gpu(), { model, data: jsonl(good), out, maxSteps: 1 });
    expect(readdirSync(out)).toContain("model.safetensors");
  });
});

describe("a run that fails leaves no checkpoint", () => {
  it("when the loss stops being finite: the step is named, exit code 1", async () => {
    const records = idPairs(24).map((r, i) => (i === 20 ? { ...r, margin: 1e39 } : r));
    const out = join(temporaryFolder(), "out");
    const options = { model: await tinyModel({ family: "llama" }), data: jsonl(records), out, evalSplit: 0 };
    const failed = train(gpu(), { ...options, batchSize: 8, shuffle: false, logEvery: 1 });
    await expect(failed).rejects.toThrow(/not finite at step 3; .*margins/);
    await expect(failed).rejects.toBeInstanceOf(RmtrainError);
    await expect(failed).rejects.toMatchObject({ exitCode: 1 });
    expect(readdirSync(out).sort()).toEqual(["metrics.jsonl", "run.json"]);
    expect(metricsOf(out).map((line) => line.step)).toEqual([1, 2]);
    await expectRefused({ ...options, out }, /holds a run already \(metrics\.jsonl\)/);
  });

  it("when the device has too little memory, and its buffers are given back", async () => {
    const model = await tinyModel({ family: "llama" });
    const long = [{ chosen_ids: new Array(60).fill(1), rejected_ids: new Array(60).fill(2) }];
    const out = join(temporaryFolder(), "out");
    const options = { model, data: jsonl(long), out, evalSplit: 0 };
    await expect(train(tight(), options)).rejects.toThrow(/needs .* of the budget of 1 MiB/);
    expect(readdirSync(out)).toEqual(["run.json"]);
    expect(tight().memory.live).toBe(0);
  });
});
