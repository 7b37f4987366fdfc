/** @file `rmtrain check` as a process: no device, tables or JSON on stdout, exit code 2 for --strict alone. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../model/tiny-model.ts";
import { realModel } from "../reference/goldens.ts";
import { jsonl } from "../train/records.ts";
import { rmtrain } from "./run-rmtrain.ts";

const planted = fileURLToPath(new URL("../data/checks/planted/", import.meta.url));
const model = ["--model", realModel("stories260k")];
const dirty = [
  "check",
  "--data",
  join(planted, "planted.jsonl"),
  "--eval-data",
  join(planted, "planted-held.jsonl"),
];
const clean = ["check", "--data", join(planted, "clean.jsonl"), "--eval-split", "0", ...model];
/** Neither hardware nor a driver of the CPU can be found. */
const noDevice = { VK_DRIVER_FILES: "/nowhere", VK_ICD_FILENAMES: "/nowhere" };

it("opens no device: it works where there is none, and training does not; without findings it says so", async () => {
  const { code, out, err } = await rmtrain([...clean, "--strict"], "", noDevice);
  expect(code).toBe(0);
  expect(err).toMatch(/^.*clean\.jsonl: 60 records, pairs of strings\n$/);
  expect(out).toMatch(/^training +60 +60 +0 +0 +\d+ /m);
  expect(out).toMatch(/\n\nNo findings\.\n$/);
  const training = await rmtrain(
    ["train", ...clean.slice(1), "--out", join(temporaryFolder(), "out")],
    "",
    noDevice,
  );
  expect(training.code).toBe(1);
  expect(training.err).toContain("No WebGPU adapter");
});

it("findings as a table, with counts of what was read; exit code 0", async () => {
  const { code, out } = await rmtrain([...dirty, ...model, "--max-length", "96", "--truncate", "right"]);
  expect(code).toBe(0);
  expect(out).toMatch(/^training +86 +80 +0 +6 /m);
  expect(out).toMatch(/^held-out +23 +22 +0 +1 /m);
  expect(out).toMatch(
    /^warning +doubled-bos +training +4 +\S*planted\.jsonl:70, 71\n +2 chosen and 2 rejected/m,
  );
  expect(out).toMatch(/^note +duplicate-ids +1 +\S*planted\.jsonl:85$/m);
});

describe("--strict", () => {
  it("stops with exit code 2 on more than notes, and says so after the findings; --json too", async () => {
    const { code, out, err } = await rmtrain([...dirty, ...model, "--strict", "--json"]);
    expect(code).toBe(2);
    expect(err).toMatch(
      /\nrmtrain: --strict: \d+ findings to look at first \(identical-pairs, .*negative-margin\)\n$/,
    );
    const { records, findings, maxLength, splitBy } = JSON.parse(out);
    expect([maxLength, splitBy]).toEqual([512, join(planted, "planted-held.jsonl")]);
    expect(records.training).toMatchObject({ records: 86, used: 83, identical: 3, dropped: 0 });
    expect(Object.keys(records["held-out"])).toContain("chosen");
    expect(findings[0]).toEqual({
      check: "identical-pairs",
      severity: "warning",
      set: "training",
      count: 2,
      message: expect.stringMatching(/^2 training pairs with the same text/),
      examples: [61, 62].map((line) => `${join(planted, "planted.jsonl")}:${line}`),
    });
  });

  it("notes don't stop", async () => {
    const data = jsonl([
      { id: 1, prompt: "The dog was hap", chosen: "py.", rejected: "less." },
      { id: 1, prompt: "A cat.", chosen: " Yes it was.", rejected: " No." },
    ]);
    const { code, out } = await rmtrain(["check", "--data", data, "--eval-split", "0", ...model, "--strict"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^note +prompt-boundary/m);
    expect(out).toMatch(/^note +duplicate-ids/m);
  });
});

it("what can't be read at all: exit code 2, file and line", async () => {
  const missing = await rmtrain(["check"]);
  expect({ code: missing.code, out: missing.out }).toEqual({ code: 2, out: "" });
  expect(missing.err).toContain("required option '--data <file>' not specified");
  const bad = await rmtrain(["check", "--data", jsonl([{ chosen: "a", rejected: "b" }, "{"]), ...model]);
  expect({ code: bad.code, out: bad.out }).toEqual({ code: 2, out: "" });
  expect(bad.err).toMatch(/^rmtrain: .*data\.jsonl:2: not valid JSON/);
});

describe("the kind of records", () => {
  it("is the first one's: rows have wanted and unwanted ones, lists their replies", async () => {
    const rows = jsonl([
      { prompt: "One?", completion: " yes.", label: true },
      { prompt: "Two?", completion: " no.", label: false },
    ]);
    const labelled = await rmtrain(["check", "--data", rows, "--eval-split", "0", ...model]);
    expect(labelled.out).toMatch(
      /^ +rows +used +too long +equal +nothing to learn +tokens +wanted +unwanted$/m,
    );
    expect(labelled.out).toMatch(/^training +2 +2 +0 +0 +0 +\d+ /m);
    const responses = ["a.", "b.", "c."];
    const lists = jsonl([
      { prompt: "One?", responses, rank: null },
      { prompt: "Two?", responses, rank: [0, 1, 1] },
    ]);
    const { out } = await rmtrain(["check", "--data", lists, "--eval-split", "0", ...model, "--json"]);
    const { kind, records, findings } = JSON.parse(out);
    expect(kind).toBe("lists");
    expect(records.training).toMatchObject({
      records: 2,
      used: 1,
      undecided: 1,
      replies: { longest: expect.any(Number) },
    });
    expect(findings).toMatchObject([
      { check: "nothing-to-learn", severity: "note", examples: [`${lists}:1`] },
    ]);
  });

  it("can be named where the records are pairs", async () => {
    const { code, out } = await rmtrain([...clean, "--kind", "rows", "--json"]);
    expect([code, JSON.parse(out).records.training.used]).toEqual([0, 120]);
    const wrong = await rmtrain([...clean, "--kind", "lines"]);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("pairs, rows, lists, texts")]);
  });
});
