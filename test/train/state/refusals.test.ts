/** @file What `--resume` refuses, naming it, before any device is opened; and what it only warns of. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/errors.ts";
import type { TrainArguments } from "../../../src/train/options.ts";
import { stateFile } from "../../../src/train/state/checkpoint.ts";
import { train } from "../../../src/train/train.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { idPairs, jsonl } from "../records.ts";
import { resumed, stoppedAt } from "./runs.ts";

const gpu = useGpu();
const model = await tinyModel({ family: "llama", architecture: "bare" });
const data = jsonl(idPairs(30));
const base = { model, data, batchSize: 6, maxSteps: 12, lr: 0.05, saveEvery: 3 } as const;
const options: TrainArguments = { ...base, out: join(temporaryFolder(), "out") };
const { out } = options;

/** Once for the file: a run that was stopped after 6 of 12 steps. */
const stopped = async () => {
  if (!existsSync(out)) await stoppedAt(gpu(), options, 6);
};

async function refused(some: Partial<TrainArguments>, message: RegExp, resume = out): Promise<void> {
  await stopped();
  const before = readdirSync(out).sort();
  const opened = () => expect.fail("the device was opened");
  const run = train(opened, { ...options, ...some }, undefined, { resume });
  const error: unknown = await run.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
  expect(readdirSync(out).sort()).toEqual(before);
}

describe("another run's options and contents are refused by name", () => {
  it.each<[string, Partial<TrainArguments>, RegExp]>([
    ["rate", { lr: 0.1 }, /--resume .*: --lr was 0\.05, now it is 0\.1\. Only the same run/],
    ["batch size", { batchSize: 5 }, /--batch-size was 6, now it is 5/],
    ["precision", { precision: "f16-emulated" }, /--precision was f32, now it is f16-emulated/],
    ["seed", { seed: 1 }, /--seed was 0, now it is 1/],
    ["accumulation", { gradientAccumulationSteps: 2 }, /--gradient-accumulation-steps was 1, now it is 2/],
    ["evaluation steps", { evalSteps: 2 }, /--eval-steps was not given, now it is 2/],
    [
      "two at once",
      { weightDecay: 0.1, shuffle: false },
      /--weight-decay was 0.*; --shuffle was true, now it is false/,
    ],
    ["share held out", { evalSplit: 0.4 }, /the training pairs are others.*; the held-out pairs are others/],
    [
      "rows",
      { data: jsonl([...idPairs(30).slice(1), ...idPairs(1)]) },
      /pairs are others, or in another order/,
    ],
    [
      "more steps",
      { maxSteps: 20 },
      /20 steps instead of 12 would change the learning rates.*--schedule constant/,
    ],
    ["fewer steps", { maxSteps: 5 }, /6 steps are done already, more than the 5/],
  ])("%s", async (_, some, message) => {
    await refused(some, message);
  });

  it("a margin, a label", async () => {
    const change = (field: string, value: number) =>
      jsonl(idPairs(30).map((r, i) => ({ ...r, ...(i === 4 ? { [field]: value } : {}) })));
    await refused({ data: change("margin", 0.5) }, /pairs are others/);
    await refused({ data: change("label", 0.75) }, /pairs are others/);
  });

  it("the model, by its files", async () => {
    const other = await tinyModel({ family: "llama", architecture: "bare", seed: 2 });
    await refused({ model: other }, /the model is another \(model\.safetensors\)/);
  });

  it("the same contents under other names, and options that change no bit, are fine", async () => {
    await stopped();
    const moved = join(temporaryFolder(), "elsewhere");
    cpSync(model, moved, { recursive: true });
    const whole = join(temporaryFolder(), "out");
    await train(gpu(), { ...base, out: whole });
    const cut = join(temporaryFolder(), "out");
    cpSync(out, cut, { recursive: true });
    await resumed(gpu(), {
      ...options,
      model: moved,
      data: jsonl(idPairs(30)),
      batchTokens: 64,
      saveEvery: 2,
      out: cut,
    });
    const bytes = (dir: string) => readFileSync(join(dir, "model.safetensors"));
    expect(bytes(cut).equals(bytes(whole))).toBe(true);
  });
});

describe("folders", () => {
  it("no state, no folder, another --out", async () => {
    await refused({ out: join(temporaryFolder(), "new") }, /goes on in .*; leave out --out/);
    const none = join(temporaryFolder(), "none");
    await refused({ out: none }, /there is no such folder/, none);
    const empty = temporaryFolder();
    await refused(
      { out: empty },
      /no complete training state .*`--resume auto --out .*` begins the run again/,
      empty,
    );
    await refused({}, /checkpoint-5: there is no such folder/, join(out, "checkpoint-5"));
    const bare = join(temporaryFolder(), "checkpoint-3");
    mkdirSync(bare);
    await refused({ out: dirname(bare) }, /can't read .*trainer_state\.json/, bare);
  });

  it("auto does not begin a run in a folder that holds a model", async () => {
    await refused({ out: model }, /holds a run already \(config\.json\)/, "auto");
  });

  it("a new run in the folder of a stopped one is refused, and told how that one goes on", async () => {
    await stopped();
    const again = train(gpu(), options);
    await expect(again).rejects.toThrow(
      /holds a run already \(metrics\.jsonl\).*go on with that run: --resume .*out/,
    );
  });
});

it.each<[string, (json: Record<string, unknown>) => unknown, RegExp]>([
  ["cut off", (json) => JSON.stringify(json).slice(0, 300), /trainer_state\.json is no JSON: it is damaged/],
  [
    "another version's",
    (json) => ({ ...json, format: "rmtrain-state/9" }),
    /format: .*this version reads rmtrain-state\/1/,
  ],
  ["a step that is none", (json) => ({ ...json, step: -1 }), /step: /],
  ["no object", () => [], /trainer_state\.json: /],
])("a state that is %s", async (_, change, message) => {
  await stopped();
  const copy = join(temporaryFolder(), "out");
  cpSync(out, copy, { recursive: true });
  const file = join(copy, "checkpoint-6", stateFile);
  const changed = change(JSON.parse(readFileSync(file, "utf8")));
  writeFileSync(file, typeof changed === "string" ? changed : JSON.stringify(changed));
  await refused({ out: copy }, message, join(copy, "checkpoint-6"));
});

it("another adapter or version: a warning that the bits may differ, and the run goes on", async () => {
  await stopped();
  const copy = join(temporaryFolder(), "out");
  cpSync(out, copy, { recursive: true });
  const file = join(copy, "checkpoint-6", stateFile);
  const json = JSON.parse(readFileSync(file, "utf8"));
  json.identity.adapter = "another / card";
  json.identity.variants = "table 12";
  json.identity.versions.rmtrain = "0.0.1";
  writeFileSync(file, JSON.stringify(json));
  const { notes, resumedStep } = await resumed(gpu(), { ...options, out: copy }, copy);
  expect(resumedStep).toBe(6);
  expect(notes).toContainEqual(
    expect.stringMatching(
      /^Warning: the bits may differ .*adapter was another \/ card, now .*; the kernels' variants were table 12, now they are default; rmtrain was 0\.0\.1, now/,
    ),
  );
  const whole = join(temporaryFolder(), "out");
  await train(gpu(), { ...base, out: whole });
  const bytes = (dir: string) => readFileSync(join(dir, "model.safetensors"));
  expect(bytes(copy).equals(bytes(whole))).toBe(true);
});

it("early stopping without held-out pairs", async () => {
  const run = train(gpu(), {
    ...base,
    out: join(temporaryFolder(), "out"),
    evalSplit: 0,
    earlyStoppingPatience: 2,
  });
  await expect(run).rejects.toThrow(/--early-stopping-patience needs held-out records/);
});

it("metrics.jsonl that was shortened: said, and the run goes on", async () => {
  await stopped();
  const copy = join(temporaryFolder(), "out");
  cpSync(out, copy, { recursive: true });
  writeFileSync(join(copy, "metrics.jsonl"), "");
  const { notes } = await resumed(gpu(), { ...options, out: copy }, copy);
  expect(notes).toContainEqual(
    expect.stringMatching(/metrics\.jsonl is shorter than when the state was saved/),
  );
});
