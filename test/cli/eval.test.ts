/** @file `rmtrain eval` as a process: the table, JSON, exit codes. */
import { beforeAll, expect, it } from "vitest";
import { type TinyModel, tinyModel } from "../model/tiny-model.ts";
import { idPairs, jsonl } from "../train/records.ts";
import { rmtrain } from "./run-rmtrain.ts";

const classifier: TinyModel = { family: "llama" };
let model: string;
let data: string;
beforeAll(async () => {
  model = await tinyModel(classifier);
  data = jsonl(idPairs(12).map((r, i) => ({ ...r, kind: i % 2 ? "odd" : "even" })));
});

it("a table on stdout: a line for all pairs and one for each value of each field", async () => {
  const { code, out, err } = await rmtrain(["eval", "--model", model, "--data", data]);
  expect(err).not.toMatch(/defect/);
  expect(code).toBe(0);
  expect(out).toMatch(/^ +pairs {2}accuracy {2}95 % interval +ties {2}longer {2}shorter$/m);
  expect(out).toMatch(/^all +12 +[01]\.\d{3} {2}\[[01]\.\d{3}, [01]\.\d{3}\] +0 +[01]\.\d{3} +[01]\.\d{3}$/m);
  expect(out).toMatch(/^kind=even +6 /m);
  expect(out).toMatch(/^kind=odd +6 /m);
  expect(out).toMatch(/^12 pairs read; left out: 0 too long, 0 with equal sides; 0 sides cut$/m);
});

it("JSON, of a pipe", async () => {
  const lines = idPairs(5).map((r) => JSON.stringify(r));
  const { code, out } = await rmtrain(["eval", "--model", model, "--data", "-", "--json"], lines.join("\n"));
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ records: 5, n: 5, by: {} });
});

it("a field that no record has: exit code 2, with those that there are", async () => {
  const { code, out, err } = await rmtrain(["eval", "--model", model, "--data", data, "--group-by", "a"]);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toMatch(/^rmtrain: --group-by a: no record has this field \(there are: kind\)$/m);
});
