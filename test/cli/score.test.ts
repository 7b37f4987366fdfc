/** @file `rmtrain score` as a process: files, pipes, exit codes, what goes to stdout and what to stderr. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { writeSafetensors } from "../../src/model/safetensors/index.ts";
import { storiesReward } from "../model/stories-reward.ts";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { relativeError } from "../reference/error.ts";
import { goldenModel, goldenTensors, realModel } from "../reference/goldens.ts";
import { finished, main, rmtrain, spawnRmtrain } from "./run-rmtrain.ts";

const jsonl = (records: readonly unknown[]) => records.map((r) => `${JSON.stringify(r)}\n`).join("");
const parsed = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

function file(name: string, text: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

describe("the golden llama, records of ids", () => {
  const golden = goldenTensors("llama");
  const ids = golden.get("batch/input_ids");
  const mask = golden.get("batch/attention_mask").data;
  const [rows = 0, width = 0] = ids.shape;
  const records = Array.from({ length: rows }, (_, row) => ({
    id: `row ${row}`,
    input_ids: [...ids.data.subarray(row * width, (row + 1) * width)].filter(
      (_, p) => mask[row * width + p] === 1,
    ),
  }));

  it("rewards, from a file to a file and through a pipe, byte for byte the same", async () => {
    const out = join(temporaryFolder(), "scores.jsonl");
    const toFile = await rmtrain([
      "score",
      "--model",
      goldenModel("llama"),
      "--data",
      file("in.jsonl", jsonl(records)),
      "--out",
      out,
    ]);
    expect(toFile).toMatchObject({ code: 0, out: "" });
    expect(readdirSync(dirname(out))).toEqual(["scores.jsonl"]);
    const lines = parsed(readFileSync(out, "utf8"));
    expect(lines.map((l) => l.id)).toEqual(records.map((r) => r.id));
    expect(lines.map((l) => l.tokens)).toEqual(records.map((r) => r.input_ids.length));
    expect(
      relativeError(
        lines.map((l) => Number(l.reward)),
        golden.get("batch/pooled.f64").data,
      ),
    ).toBeLessThan(1e-5);

    const piped = await rmtrain(
      ["score", "--model", goldenModel("llama"), "--data", "-", "--batch-tokens", "7"],
      jsonl(records),
    );
    expect(piped.code).toBe(0);
    expect(piped.out).toBe(readFileSync(out, "utf8"));
    expect(piped.err).toMatch(/^4 lines, 51 tokens computed \(padded batches: \d+\)/m);
  });

  it("a table, with names of its own, gives the rewards of the lines", async () => {
    const cells = records.map((r) => `${r.id},"[${r.input_ids.join(", ")}]"\n`).join("");
    const common = ["score", "--model", goldenModel("llama"), "--data"];
    const table = await rmtrain([
      ...common,
      file("in.csv", `name,tokens\n${cells}`),
      "--columns",
      "id=name",
      "--columns",
      "input_ids=tokens",
    ]);
    expect(table.code, table.err).toBe(0);
    expect(table.err).toMatch(/in\.csv: 4 records, token ids$/m);
    expect(table.out).toBe((await rmtrain([...common, "-"], jsonl(records))).out);
  });

  it("a bad line: exit code 2, its place, and no output file", async () => {
    const out = join(temporaryFolder(), "scores.jsonl");
    const data = file("in.jsonl", `${jsonl(records.slice(0, 2))}\n{"text": 5}\n`);
    const { code, err } = await rmtrain([
      "score",
      "--model",
      goldenModel("llama"),
      "--data",
      data,
      "--out",
      out,
    ]);
    expect(code).toBe(2);
    expect(err).toMatch(/in\.jsonl:4: text: expected a string, found the number 5/);
    expect(err).not.toMatch(/ at .*\.ts:/);
    expect(existsSync(out)).toBe(false);
  });

  it("a bad line: those before it have been written to stdout", async () => {
    const data = file("in.jsonl", `${jsonl(records)}{"input_ids": [1, "2"]}\n${jsonl(records)}`);
    const { code, out, err } = await rmtrain(["score", "--model", goldenModel("llama"), "--data", data]);
    expect(code).toBe(2);
    expect(err).toMatch(/in\.jsonl:5: /);
    expect(parsed(out).map((l) => l.id)).toEqual(records.map((r) => r.id));
  });

  it("--skip-bad-lines: an error in the line's place, the count at the end, exit code 0", async () => {
    const [first = "", ...others] = jsonl(records).split("\n");
    const text = [
      first,
      "{",
      '{"id": "b", "input_ids": "no"}',
      '{"id": "c", "input_ids": [77777]}',
      ...others,
    ];
    const args = ["score", "--model", goldenModel("llama"), "--data", file("in.jsonl", text.join("\n"))];
    const { code, out, err } = await rmtrain([...args, "--skip-bad-lines"]);
    expect(code, err).toBe(0);
    const lines = parsed(out);
    expect(lines.map((l) => l.id)).toEqual(["row 0", undefined, "b", "c", "row 1", "row 2", "row 3"]);
    expect(lines[1]?.error).toMatch(/in\.jsonl:2: not valid JSON/);
    expect(lines[2]).toEqual({ id: "b", error: expect.stringMatching(/in\.jsonl:3: /) });
    expect(lines[3]).toEqual({
      id: "c",
      error: expect.stringMatching(/in\.jsonl:4: token id 77777 is outside/),
    });
    expect(err).toMatch(/^3 bad lines skipped:/m);
    expect(err).toMatch(/^7 lines, 51 tokens computed/m);
  });

  it("a slow pipe: a line's result comes before the next line does", async () => {
    const child = spawnRmtrain(["score", "--model", goldenModel("llama"), "--data", "-"]);
    for (const id of ["a", "b"]) {
      child.stdin.write(jsonl([{ id, input_ids: [3, 4] }]));
      const [result] = await once(child.stdout, "data");
      expect(parsed(String(result))[0]).toMatchObject({ id });
    }
    child.stdin.end();
    expect((await finished(child)).code).toBe(0);
  });

  it.skipIf(process.platform === "win32")(
    "a reader that takes one line of endless ones: quiet, exit code 0, at once",
    async () => {
      const score = `"$0" ${main} score --model "$1" --data -`;
      const shell = `yes '{"input_ids": [4, 5, 6]}' | ${score} | head -n 1; echo "\${PIPESTATUS[1]}"`;
      const child = spawn("bash", ["-c", shell, process.execPath, goldenModel("llama")]);
      const { out, err } = await finished(child);
      const [line = "", code] = out.split("\n");
      expect(JSON.parse(line)).toEqual({ reward: expect.any(Number), tokens: 3 });
      expect(code, err).toBe("0");
      expect(err).not.toMatch(/EPIPE|Error|rmtrain:|tokens computed/);
    },
  );

  it("writes a window before the next one has come", async () => {
    const child = spawnRmtrain(["score", "--model", goldenModel("llama"), "--data", "-"]);
    child.stdin.write(jsonl(Array.from({ length: 512 }, (_, i) => ({ id: i, input_ids: [1 + (i % 100)] }))));
    const first = await new Promise<string>((resolve) =>
      child.stdout.once("data", (data) => resolve(String(data))),
    );
    expect(first).toMatch(/^\{"id":0,"reward":/);
    child.stdin.end(jsonl([{ id: "last", input_ids: [3] }]));
    const { code, out } = await finished(child);
    expect(code).toBe(0);
    expect(parsed(out).at(-1)).toMatchObject({ id: "last" });
  });

  it("ends quietly when its reader is gone", async () => {
    const child = spawnRmtrain(["score", "--model", goldenModel("llama"), "--data", "-"]);
    child.stdin.on("error", () => {});
    child.stdin.write(jsonl(Array.from({ length: 512 }, () => ({ input_ids: [4] }))));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.stdout.destroy();
    child.stdin.write(jsonl(Array.from({ length: 5120 }, () => ({ input_ids: [4] }))));
    const { code, err } = await finished(child);
    expect(code).toBe(0);
    expect(err).not.toMatch(/EPIPE|Error| at /);
  });
});

describe("stories260k with a head, texts", () => {
  let model = "";
  beforeAll(async () => {
    model = await storiesReward(true);
  });

  it("every kind of record, blank lines between them; the summary of the pairs on stderr", async () => {
    const lines = [
      { id: 1, text: "Once upon a time" },
      { prompt: "Once upon", response: " a time" },
      { id: "p", prompt: "The cat", chosen: " sat on the mat.", rejected: " was.", margin: 2 },
      { chosen: "Yes", rejected: "Nope" },
    ];
    const { code, out, err } = await rmtrain(
      ["score", "--model", model, "--data", "-", "--per-token"],
      lines.map((l) => `${JSON.stringify(l)}\r\n\n`).join(""),
    );
    expect(code).toBe(0);
    const [text, reply, pair] = parsed(out);
    expect(text).toMatchObject({ id: 1 });
    expect(reply).toEqual({ ...text, id: undefined });
    expect(text?.token_ids).toEqual([1, ...new Array(Number(text?.tokens) - 2).fill(expect.any(Number)), 2]);
    expect(text?.rewards).toHaveProperty(`${Number(text?.tokens) - 1}`, text?.reward);
    expect(pair).toMatchObject({
      id: "p",
      margin_label: 2,
      margin: Number(pair?.reward_chosen) - Number(pair?.reward_rejected),
    });
    expect(err).toMatch(
      /^2 pairs: accuracy \d\.\d{3} \(95 % interval \d\.\d{3} to \d\.\d{3}\), 0 ties, mean margin -?\d/m,
    );
    expect(err).toMatch(/^by length alone: always longer 0\.500, always shorter 0\.500$/m);
  });

  it("--summary: the same as JSON in a file", async () => {
    const summary = join(temporaryFolder(), "summary.json");
    const pairs = jsonl([{ chosen: "Yes, please.", rejected: "No" }]);
    const { code, err } = await rmtrain(
      ["score", "--model", model, "--data", "-", "--summary", summary],
      pairs,
    );
    expect(code).toBe(0);
    expect(err).not.toMatch(/accuracy/);
    expect(JSON.parse(readFileSync(summary, "utf8"))).toMatchObject({
      lines: 1,
      not_finite: 0,
      pairs: {
        n: 1,
        ties: 0,
        always_longer: 1,
        always_shorter: 0,
        interval_95: [expect.any(Number), expect.any(Number)],
      },
    });
  });
});

it("a model without a head is refused, unless a random one is asked for", async () => {
  const args = ["score", "--model", realModel("stories260k"), "--data", "-"];
  const line = jsonl([{ text: "Hello" }]);
  const refused = await rmtrain(args, line);
  expect(refused).toMatchObject({ code: 2, out: "" });
  expect(refused.err).toMatch(/no reward head/);
  const given = await rmtrain([...args, "--init-head", "normal", "--seed", "3"], line);
  expect(given.code).toBe(0);
  expect(parsed(given.out)[0]?.reward).toEqual(expect.any(Number));
});

it("--max-length alone would drop lines: exit code 2 before anything is read", async () => {
  const { code, err } = await rmtrain(["score", "--model", "nowhere", "--data", "-", "--max-length", "9"]);
  expect(code).toBe(2);
  expect(err).toMatch(/--max-length needs --truncate/);
});

it("lists ten tensors that it does not use, and how many there are", async () => {
  const dir = await tinyModel({ family: "llama" });
  const path = join(dir, "model.safetensors");
  await using folder = await openModelFolder(dir);
  const { checkpoint } = folder;
  const extra = Array.from({ length: 12 }, (_, i) => ({
    name: `adapter.${i}`,
    dtype: "F32" as const,
    shape: [1],
    data: () => new Uint8Array(4),
  }));
  const own = await Promise.all(
    [...checkpoint.tensors.values()].map(async (info) => {
      const bytes = await checkpoint.read(info);
      return { name: info.name, dtype: info.dtype, shape: info.shape, data: () => bytes };
    }),
  );
  await writeSafetensors(path, [...own, ...extra]);
  const { code, err } = await rmtrain(["score", "--model", dir, "--data", "-"], jsonl([{ input_ids: [1] }]));
  expect(code).toBe(0);
  const [line = ""] = err.split("\n").filter((l) => l.includes("not used"));
  expect(line).toMatch(/^12 tensors of the checkpoint are not used: adapter\.0, .*, \.\.\.$/);
  expect(line.match(/adapter/g)?.length).toBe(10);
});
