/** @file --strict: a run with findings that are more than notes stops before any device is opened; others go on. */
import { expect, it } from "vitest";
import { tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";
import { expectRefused, idPairs, jsonl, run } from "./records.ts";

const gpu = useGpu();
/** Ids below 40 other than the special ones, so that nothing but what a test adds is found. */
const clean = idPairs(12).map((record, i) => ({
  prompt_ids: [10 + i, 11],
  chosen_ids: i % 2 ? [20 + i] : [20 + i, 5, 6],
  rejected_ids: i % 2 ? [8 + i, 5, 6] : [8 + i],
  id: record.prompt_ids.length,
}));

it("stops on a warning, and the findings are told first", async () => {
  const model = await tinyModel({ family: "llama" });
  const equal = { chosen_ids: [7, 8], rejected_ids: [7, 8] };
  const options = { model, data: jsonl([...clean, equal, clean[0]]), evalSplit: 0 };
  await expectRefused(
    { ...options, strict: true },
    /^--strict: 2 findings to look at first \(identical-pairs, duplicate-pairs\)$/,
  );
  const { findings, notes } = await run(gpu(), { ...options, maxSteps: 1 });
  expect(findings.map((f) => f.check)).toEqual(["identical-pairs", "duplicate-pairs", "duplicate-ids"]);
  expect(notes.filter((note) => /^(warning|note): /.test(note))).toHaveLength(3);
});

it("goes on with notes", async () => {
  const model = await tinyModel({ family: "llama" });
  const options = { model, data: jsonl(clean), evalSplit: 0, strict: true, maxSteps: 1 };
  const { findings } = await run(gpu(), options);
  expect(findings).toMatchObject([{ check: "duplicate-ids", severity: "note" }]);
});

it("nothing left to train on stops a run with or without it, after the findings", async () => {
  const model = await tinyModel({ family: "llama" });
  const data = jsonl([{ chosen_ids: [7, 8], rejected_ids: [7, 8] }]);
  await expectRefused(
    { model, data, evalSplit: 0 },
    /none of 1 pairs is left to train on: .* 1 have equal sides/,
  );
});
