/** @file Pairs that are left out or cut: each with its own reason, by side, with the tokens that are lost. */
import { expect, test } from "vitest";
import { cleanPairs, findingsOf, type Given, short } from "./support.ts";

const clean = cleanPairs(40);

test("equal as text, equal as tokens, equal once cut: apart, each pair once", () => {
  const given: Given[] = [
    ...clean,
    { prompt: "p: ", chosen: "same", rejected: "same" },
    { prompt: "q: ", chosen: "same", rejected: "SAME" },
    { prompt: "r: ", chosen: `${"x".repeat(30)}a`, rejected: `${"x".repeat(30)}b` },
  ];
  const findings = findingsOf(given, { maxLength: 30, overlong: "right" });
  expect(short(findings)).toEqual([
    ["identical-pairs", "training", 1, ["t:41"]],
    ["identical-tokens", "training", 1, ["t:42"]],
    ["identical-after-truncation", "training", 1, ["t:43"]],
  ]);
  expect(findings.map((f) => f.severity)).toEqual(["warning", "warning", "warning"]);
  // Left out by the limit, the third is no longer an equal pair.
  expect(short(findingsOf(given, { maxLength: 30 })).map(([check]) => check)).toEqual([
    "too-long",
    "identical-pairs",
    "identical-tokens",
  ]);
});

test("too long: which side, and the tokens of both; a warning above a tenth of the pairs", () => {
  const long = (chosen: number, rejected: number): Given => ({
    prompt: "p: ",
    chosen: "ab".repeat(chosen / 2),
    rejected: "cd".repeat(rejected / 2),
  });
  const [few] = findingsOf([...clean, long(50, 10), long(50, 60), long(10, 70)], { maxLength: 40 });
  // Beside the reply: a BOS, "p: " and an EOS.
  expect(few).toMatchObject({
    check: "too-long",
    severity: "note",
    count: 3,
    examples: ["t:41", "t:42", "t:43"],
  });
  expect(few?.message).toMatch(
    /2 chosen and 2 rejected sides .*--max-length 40.* 125 chosen and 155 rejected tokens/,
  );
  const many = Array.from({ length: 6 }, (_, i) => long(50 + 2 * i, 10));
  expect(findingsOf([...clean, ...many], { maxLength: 40 })[0]).toMatchObject({
    severity: "warning",
    count: 6,
    examples: ["t:41", "t:42", "t:43", "t:44", "t:45"],
  });
  expect(findingsOf(many.slice(0, 1), { maxLength: 60 })).toEqual([]);
});

test("cut: by side, with the tokens lost", () => {
  const given = [...clean, { prompt: "p: ", chosen: "a1".repeat(20), rejected: "b" }];
  for (const overlong of ["left", "right"] as const) {
    const [cut, ...others] = findingsOf(given, { maxLength: 35, overlong });
    expect(cut).toMatchObject({
      check: "truncated",
      severity: "note",
      set: "training",
      count: 1,
      examples: ["t:41"],
    });
    expect(cut?.message).toMatch(/1 chosen and 0 rejected sides cut to 35 tokens; 10 chosen and 0 rejected/);
    // Cut at the left, the prompt of three tokens is gone.
    expect(others.map((f) => f.check)).toEqual(overlong === "left" ? ["prompt-cut-away"] : []);
  }
});

test("nothing of the reply is left: also in pairs that are left out because they are equal then", () => {
  const prompt = `${"p".repeat(60)} `;
  const given: Given[] = [
    ...clean,
    { prompt, chosen: "yes it is", rejected: "no" },
    { prompt: "p".repeat(57), chosen: "", rejected: "no indeed" },
  ];
  const found = short(findingsOf(given, { maxLength: 59, overlong: "right" }));
  expect(found).toEqual([
    ["identical-after-truncation", "training", 2, ["t:41", "t:42"]],
    ["reply-cut-away", "training", 3, ["t:41", "t:42"]],
  ]);
});

test("sequences beyond the positions that the model was trained for", () => {
  const given = [...clean, { prompt: "p: ", chosen: "a".repeat(60), rejected: "b" }];
  expect(short(findingsOf(given, { maxPositions: 50 }))).toEqual([
    ["beyond-positions", "training", 1, ["t:41"]],
  ]);
  expect(findingsOf(given, { maxPositions: 65 })).toEqual([]);
});
