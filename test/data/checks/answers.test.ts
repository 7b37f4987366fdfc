/** @file What is wrong with the answers: empty, repeated, contradictory, shared with the evaluation, or predictable. */
import { describe, expect, test } from "vitest";
import { cleanPairs, findingsOf, type Given, short } from "./support.ts";

const clean = cleanPairs(40);
const found = (given: readonly Given[], setting = {}) => short(findingsOf([...clean, ...given], setting));

test("empty replies: nothing but white space, or no id", () => {
  const given: Given[] = [
    { prompt: "p: ", chosen: "", rejected: "me" },
    { prompt: "q: ", chosen: "you", rejected: " \n" },
    { promptIds: [7], ids: [[], [8]] },
    { prompt: " ", chosen: "you", rejected: "me" },
  ];
  expect(found(given, { addEos: false })).toEqual([["empty-reply", "training", 3, ["t:41", "t:42", "t:43"]]]);
});

describe("the same pair again", () => {
  const pair = { prompt: "p: ", chosen: "aa", rejected: "bb" };
  const opposite = { prompt: "p: ", chosen: "bb", rejected: "aa" };

  test("with the same answer: copies beyond the first", () => {
    expect(found([pair, pair, pair])).toEqual([["duplicate-pairs", "training", 2, ["t:42", "t:43"]]]);
    for (const other of [
      { ...pair, prompt: "q: " },
      { ...pair, chosen: "ab" },
      { ...pair, label: 0.9 },
    ])
      expect(found([pair, other])).toEqual([]);
    // A text is never the same as ids that look like it.
    expect(
      found([
        { chosen: "5,2", rejected: "6,2" },
        {
          ids: [
            [5, 2],
            [6, 2],
          ],
        },
      ]),
    ).toEqual([]);
  });

  test("with the opposite answer: all of them; a label below 0.5 turns a pair around", () => {
    const rows = ["t:41", "t:42"];
    expect(found([pair, opposite])).toEqual([["contradictory-pairs", "training", 2, rows]]);
    expect(found([pair, { ...pair, label: 0.2 }])).toEqual([["contradictory-pairs", "training", 2, rows]]);
    expect(found([pair, { ...opposite, label: 0 }])).toEqual([]);
    expect(found([pair, { ...opposite, label: 0.5 }])).toEqual([]);
    expect(found([pair, { ...opposite, prompt: "q: " }])).toEqual([]);
    expect(found([pair, opposite, opposite])).toEqual([
      ["contradictory-pairs", "training", 3, [...rows, "t:43"]],
      ["duplicate-pairs", "training", 1, ["t:43"]],
    ]);
  });

  test("an id that stands twice: a note, in one file only", () => {
    const [first] = clean;
    const again = { ...pair, id: first?.id ?? "" };
    expect(findingsOf([...clean, again])).toMatchObject([
      { check: "duplicate-ids", severity: "note", count: 1, examples: ["t:41"] },
    ]);
    expect(found([], { eval: [again] })).toEqual([]);
    expect(
      found([
        { ...pair, id: 7 },
        { ...opposite, prompt: "q: ", id: "7" },
      ]),
    ).toEqual([]);
  });
});

describe("shared by training and evaluation", () => {
  test("the prompt, or prompt and replies", () => {
    const prompt = clean[3]?.prompt ?? "";
    const held = [...cleanPairs(20, 500), { prompt, chosen: "new", rejected: "old" }, clean[5] ?? {}];
    const findings = findingsOf(clean, { eval: held });
    expect(short(findings)).toEqual([["train-eval-overlap", undefined, 2, ["e:21", "e:22"]]]);
    expect(findings[0]?.message).toContain(
      "2 of 22 held-out pairs with a prompt that is also trained on, 1 with the replies too",
    );
  });

  test("without a prompt: the two replies, in either order", () => {
    const train = [...clean, { chosen: "one", rejected: "two" }];
    const held = (given: Given) => short(findingsOf(train, { eval: [...cleanPairs(20, 500), given] }));
    expect(held({ chosen: "two", rejected: "one" })).toEqual([
      ["train-eval-overlap", undefined, 1, ["e:21"]],
    ]);
    expect(held({ chosen: "one", rejected: "three" })).toEqual([]);
  });
});

describe("labels and margins", () => {
  test("margins below 0", () => {
    const given = [0, 1, -0.5].map((margin, i) => ({
      prompt: `p${i}: `,
      chosen: "a",
      rejected: "b",
      margin,
    }));
    expect(found(given)).toEqual([["negative-margin", "training", 1, ["t:43"]]]);
  });

  test("ties only: an error, since no side is ever preferred", () => {
    const ties = clean.map((given) => ({ ...given, label: 0.5 }));
    expect(findingsOf(ties)).toMatchObject([{ check: "no-preference", severity: "error", count: 40 }]);
    expect(findingsOf([...ties, ...cleanPairs(1, 900)])).toEqual([]);
  });
});

describe("rules that predict the label", () => {
  /** n pairs, of which the longer reply is chosen in `longer`. */
  const byLength = (n: number, longer: number) =>
    cleanPairs(n).map(({ chosen = "", rejected = "", ...rest }, i): Given => {
      const [short, long] = chosen.length < rejected.length ? [chosen, rejected] : [rejected, chosen];
      return {
        ...rest,
        ...(i < longer ? { chosen: long, rejected: short } : { chosen: short, rejected: long }),
      };
    });
  const length = (pairs: readonly Given[]) => findingsOf(pairs).filter((f) => f.check === "length-rule");

  test("length: outside 0.40 to 0.60 and beyond three standard errors, either way", () => {
    // Three standard errors are 1.5 / sqrt(n): 0.15 for 100 pairs, 0.047 for 1000.
    expect(length(byLength(100, 66))).toMatchObject([{ severity: "warning", set: "training", count: 100 }]);
    expect(length(byLength(100, 34))[0]?.message).toMatch(
      /^"the shorter reply is better" alone is right on 0\.660 of 100/,
    );
    expect(length(byLength(100, 64))).toEqual([]);
    expect(length(byLength(1000, 610))[0]?.message).toMatch(
      /^"the longer reply is better" alone is right on 0\.610/,
    );
    expect(length(byLength(1000, 590))).toEqual([]);
    expect(length(byLength(9, 9))).toEqual([]);
    expect(length(byLength(10, 10))).toHaveLength(1);
  });

  test("length: a label below 0.5 turns a pair around, and at 0.5 it doesn't count", () => {
    const turned = byLength(100, 66).map((pair) => ({ ...pair, label: 0.3 }));
    expect(length(turned)[0]?.message).toMatch(
      /^"the shorter reply is better" alone is right on 0\.660 of 100/,
    );
    expect(
      length(byLength(100, 66).map((pair, i) => (i < 66 ? { ...pair, label: 0.5 } : pair)))[0]?.message,
    ).toMatch(/^"the shorter reply is better" alone is right on 1\.000 of 34/);
  });

  test("format: one word at the beginning, one sign at the beginning or at the end", () => {
    const format = (change: (given: Given) => Given, n = 40) =>
      findingsOf(clean.map((given, i) => (i < n ? change(given) : given))).map((f) => [f.check, f.message]);
    const right = "alone is right on";
    expect(
      format((g) => ({ ...g, chosen: `Sure, ${g.chosen}` })).map(([c, m]) => [c, m?.slice(0, 80)]),
    ).toContainEqual([
      "format-rule",
      expect.stringContaining(`"the reply that begins with the word "Sure," is better" ${right}`),
    ]);
    const bullet = format((g) => ({ ...g, rejected: `-${g.rejected}` }));
    expect(bullet).toEqual([
      ["format-rule", expect.stringContaining(`begins with "-" is worse" ${right} 1.000 of 40`)],
    ]);
    const stop = format((g) => ({ ...g, chosen: `${g.chosen}?` }), 33);
    expect(stop).toEqual([
      ["format-rule", expect.stringContaining(`ends in "?" is better" ${right} 0.912 of 40`)],
    ]);
    expect(format((g) => ({ ...g, chosen: `${g.chosen}?` }), 31)).toEqual([]);
    expect(format((g) => ({ ...g, chosen: `${g.chosen}?`, rejected: `${g.rejected}?` }))).toEqual([]);
  });

  test("format: ids too, by the first or the last id", () => {
    const ids = (n: number) =>
      Array.from(
        { length: n },
        (_, i): Given => ({
          promptIds: [9],
          ids: [
            [11, 20 + i],
            [12 + (i % 3), 20 + i],
          ],
        }),
      );
    expect(findingsOf(ids(20), { addEos: false })).toMatchObject([
      { check: "format-rule", count: 20, message: expect.stringContaining('"id 11" is better') },
    ]);
    // Too few to tell from chance.
    expect(findingsOf(ids(9), { addEos: false })).toEqual([]);
  });
});
