/** @file run.json: what it holds, that it can be run again to the same bytes, and what is refused in a file of options. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.ts";
import { trainDefaults } from "../../src/train/options.ts";
import { compareRuns, type RunFile, readRunFile } from "../../src/train/run-file.ts";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";
import { idPairs, jsonl, run } from "./records.ts";

const gpu = useGpu();
const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

let model: string;
let data: string;
let evalData: string;
let first: Awaited<ReturnType<typeof run>>;
beforeAll(async () => {
  model = await tinyModel({ family: "llama" });
  data = jsonl(idPairs(20));
  evalData = jsonl(idPairs(6), "held.jsonl");
  first = await run(gpu(), { model, data, evalData, seed: 3, weightDecay: 0.1, maxLength: 9 });
});

const written = (): RunFile => JSON.parse(readFileSync(join(first.out, "run.json"), "utf8"));

it("names and hashes each of several files, and keeps the pattern that named them", async () => {
  const pattern = join(dirname(data), "*.jsonl");
  const { out } = await run(gpu(), { model, data: [data, pattern], evalSplit: 0 });
  const { options, data: found }: RunFile = JSON.parse(readFileSync(join(out, "run.json"), "utf8"));
  expect(options.data).toEqual([data, pattern]);
  expect(found.train.files).toEqual({ [data]: sha256(data) });
});

it("holds every option with its value, the files' hashes and counts, versions and the adapter", () => {
  const run = written();
  expect(run.format).toBe("rmtrain-run/1");
  const name = (option: string) => option.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
  for (const [option, value] of Object.entries(trainDefaults)) {
    if (["epochs", "batchSize", "seed", "weightDecay", "overlong"].includes(option)) continue;
    expect(run.options[name(option)], option).toBe(value);
  }
  expect(run.options).toMatchObject({
    model,
    data,
    eval_data: evalData,
    epochs: 2,
    batch_size: 8,
    seed: 3,
    weight_decay: 0.1,
    max_length: 9,
    truncate: "drop",
    max_steps: null,
  });
  expect(run.options).not.toHaveProperty("out");
  expect(run.base.files).toEqual({
    "config.json": sha256(join(model, "config.json")),
    "model.safetensors": sha256(join(model, "model.safetensors")),
  });
  expect(run.data).toEqual({
    train: {
      files: { [data]: sha256(data) },
      ...first.dataset.train.counts,
      truncated: [0, 0],
    },
    eval: { files: { [evalData]: sha256(evalData) }, ...first.dataset.eval?.counts, truncated: [0, 0] },
    split_by: evalData,
  });
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  expect(run.versions).toEqual({
    rmtrain: version,
    webgpu: expect.any(String),
    node: process.versions.node,
  });
  expect(run.adapter).toBe(gpu().facts.description);
});

it("run again from it: the same run.json and the same weights", async () => {
  const { options, run: before } = await readRunFile(join(first.out, "run.json"));
  const { model, data, ...rest } = options;
  if (model === undefined || data === undefined) expect.fail("a run.json names the model and the data");
  const again = await run(gpu(), { model, data, ...rest });
  for (const file of ["run.json", "model.safetensors", "config.json", "metrics.jsonl"])
    expect(readFileSync(join(again.out, file)).equals(readFileSync(join(first.out, file))), file).toBe(true);
  if (before === undefined) expect.fail("a run.json says what its run was made of");
  expect(compareRuns(before, before)).toEqual([]);
});

it("a path inside the current folder is written as it is seen from there, so that another clone finds it", async () => {
  const { out } = await run(gpu(), {
    model: join(process.cwd(), "models/base-random"),
    data: join(process.cwd(), "examples/prefs.jsonl"),
    maxSteps: 1,
    maxLength: 4,
    overlong: "left",
    evalSplit: 0,
  });
  const { options, data } = JSON.parse(readFileSync(join(out, "run.json"), "utf8"));
  expect(options).toMatchObject({ model: "models/base-random", data: "examples/prefs.jsonl" });
  expect(Object.keys(data.train.files)).toEqual(["examples/prefs.jsonl"]);
});

it.each<[string, (run: RunFile) => unknown, RegExp]>([
  [
    "weights",
    ({ base }) => Object.assign(base.files, { "model.safetensors": "0" }),
    /^the base's model\.safetensors is not the same file$/,
  ],
  ["a file that came", ({ base }) => delete base.files["config.json"], /^the base's config\.json is not/],
  [
    "records",
    (r) => Object.assign(r.data.train.files, { [data]: "0" }),
    /data\.jsonl does not hold the same/,
  ],
  ["a version", (r) => Object.assign(r.versions, { node: "18.0.0" }), /^node was 18\.0\.0, it is \d/],
  ["the adapter", (r) => Object.assign(r, { adapter: "another" }), /^the adapter was another, it is /],
  [
    "the variants of kernels",
    (r) => Object.assign(r, { variants: "table 0" }),
    /^the kernels' variants were table 0, they are /,
  ],
])("what is not as it was is named: %s", (_, change, message) => {
  const before = written();
  change(before);
  expect(compareRuns(before, written())).toEqual([expect.stringMatching(message)]);
});

describe("a file that a user wrote", () => {
  const file = (text: string) => {
    const path = join(temporaryFolder(), "my.json");
    writeFileSync(path, text);
    return path;
  };

  it("holds some options, by the flags' names with _, - or in camelCase; null is not given", async () => {
    const path = file(
      '{"data": "a.jsonl", "batch_size": 4, "max-length": 7, "evalData": "b", "truncate": "left", "seed": null}',
    );
    const options = { data: "a.jsonl", batchSize: 4, maxLength: 7, evalData: "b", overlong: "left" };
    expect(await readRunFile(path)).toEqual({ options });
  });

  it.each<[string, string, RegExp]>([
    ["an unknown key", '{"learning_rate": 1}', /"learning_rate" is no option of a run\. There are: .*\blr, /],
    ["a key twice", '{"batch_size": 1, "batch-size": 2}', /batch_size is given twice$/],
    ["a wrong number", '{"batch_size": "8"}', /batch_size is a whole number above 0, not 8$/],
    ["a wrong word", '{"schedule": "warmup"}', /schedule is one of linear, cosine, constant, not warmup$/],
    ["a flag with a number", '{"shuffle": 1}', /shuffle is true or false, not 1$/],
    ["an object", '{"data": {"a": 1}}', /data is .*, not \{"a":1\}$/],
    ["no object", "[1]", /expected a JSON object of options/],
    ["no JSON", "data: a.jsonl", /not valid JSON: /],
    ["another version", '{"format": "rmtrain-run/2"}', /format "rmtrain-run\/2" is another version's/],
    ["a broken run.json", '{"format": "rmtrain-run/1", "options": {}}', /my\.json: base: /],
  ])("%s is refused", async (_, text, message) => {
    const refused = readRunFile(file(text));
    await expect(refused).rejects.toBeInstanceOf(InputError);
    await expect(refused).rejects.toThrow(message);
  });

  it("a file that is not there is refused", async () => {
    await expect(readRunFile("none.json")).rejects.toThrow(/^--config none\.json can't be read/);
  });
});

it("a run that failed before its first result doesn't keep its folder: the next one begins there", async () => {
  const out = temporaryFolder();
  writeFileSync(join(out, "run.json"), "{}");
  const next = await run(gpu(), { model, data, evalData, out, seed: 3, weightDecay: 0.1, maxLength: 9 });
  expect(readFileSync(join(next.out, "run.json"))).toEqual(readFileSync(join(first.out, "run.json")));
});
