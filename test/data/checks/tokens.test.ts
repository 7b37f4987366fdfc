/** @file What is wrong with the ids themselves: BOS, unknown tokens, endings, pads, merging prompts. */
import { describe, expect, test } from "vitest";
import { runChecks } from "../../../src/data/checks/run-checks.ts";
import { BOS, cleanPairs, EOS, findingsOf, type Given, inputOf, short, UNK } from "./support.ts";

const clean = cleanPairs(40);
const found = (given: readonly Given[], setting = {}) => short(findingsOf([...clean, ...given], setting));

describe("BOS", () => {
  test("spelled out at the beginning, where the tokenizer adds one", () => {
    const given: Given[] = [
      { prompt: "^hi: ", chosen: "you", rejected: "me" },
      {
        ids: [
          [BOS, BOS, 7, EOS],
          [BOS, 8, EOS],
        ],
      },
      {
        ids: [
          [BOS, 9, EOS],
          [BOS, 8, 9, EOS],
        ],
      },
    ];
    expect(found(given)).toEqual([["doubled-bos", "training", 3, ["t:41", "t:42"]]]);
  });

  test("after other tokens; not where the same token ends texts", () => {
    const given: Given[] = [
      { prompt: "hi: ", chosen: "^you", rejected: "me" },
      {
        promptIds: [BOS, 5],
        ids: [
          [BOS, 7, EOS],
          [BOS, 8, EOS],
        ],
      },
    ];
    expect(found(given)).toEqual([["bos-inside", "training", 3, ["t:41", "t:42"]]]);
    const input = inputOf(given, { addEos: false });
    const endsInBos = { ...input, tokenizer: { bosTokenId: BOS, eosTokenId: BOS } };
    expect(runChecks({ ...endsInBos, recipe: { addEos: false, readPosition: "last" } })).toEqual([]);
    expect(
      runChecks({ ...input, tokenizer: undefined, recipe: { addEos: false, readPosition: "last" } }),
    ).toEqual([]);
  });
});

test("unknown tokens, with their number", () => {
  const given: Given[] = [{ prompt: "~ what: ", chosen: "a~~", rejected: "b" }];
  const findings = findingsOf([...clean, ...given]);
  expect(short(findings)).toEqual([["unknown-tokens", "training", 2, ["t:41"]]]);
  expect(findings[0]?.message).toContain(
    "1 chosen and 1 rejected training sides hold 4 unknown tokens (id 3)",
  );
  const input = inputOf(given);
  expect(runChecks({ ...input, tokenizer: { eosTokenId: EOS, unkTokenId: EOS } })).toEqual([]);
  expect(UNK).not.toBe(EOS);
});

describe("endings", () => {
  test("without the EOS that the checkpoint was trained with: texts with --no-eos, ids that lack it", () => {
    const trained = { eosTokenId: EOS };
    const sides = 2 * clean.length;
    expect(found([], { trained, addEos: false })).toEqual([
      ["missing-eos", "training", sides, ["t:1", "t:2", "t:3", "t:4", "t:5"]],
    ]);
    const ids: Given = {
      ids: [
        [5, 6],
        [7, 8],
      ],
    };
    expect(found([ids], { trained })).toEqual([["missing-eos", "training", 2, ["t:41"]]]);
    expect(found([], { eval: [ids], trained })).toEqual([["missing-eos", "held-out", 2, ["e:1"]]]);
    // A checkpoint that says nothing, or that never read one.
    expect(found([], { addEos: false })).toEqual([]);
    expect(found([], { addEos: false, trained: { endOfTurn: [] } })).toEqual([]);
    expect(found([], { trained })).toEqual([]);
  });

  test("without the end of turn of the conversations that the checkpoint was trained on", () => {
    const endOfTurn = Array.from("|>", (c) => c.charCodeAt(0));
    const closed = clean.map((g) => ({ ...g, chosen: `${g.chosen}|>`, rejected: `${g.rejected}|>` }));
    const open: Given = { prompt: "p: ", chosen: "yes|", rejected: "no|>" };
    for (const addEos of [true, false]) {
      const findings = findingsOf([...closed, open], { trained: { endOfTurn }, addEos });
      expect(short(findings)).toEqual([["missing-end-of-turn", "training", 1, ["t:41"]]]);
      expect(findings[0]?.message).toMatch(/^1 chosen and 0 rejected training sides .* \(ids 124 62\)/);
      expect(findingsOf(closed, { trained: { endOfTurn }, addEos })).toEqual([]);
    }
    expect(short(findingsOf(clean, { trained: { endOfTurn: [EOS] } }))).toEqual([]);
    expect(short(findingsOf(clean, { trained: { endOfTurn: [9, EOS] } }))).toHaveLength(1);
  });

  test("an end of turn on one side only", () => {
    const chat = { templateSha256: "", endOfTurn: [124, 62], addEos: false };
    const input = inputOf([{ prompt: "p: ", chosen: "a|>", rejected: "b" }], { addEos: false });
    const recipe = { ...input.recipe, chat };
    expect(short(runChecks({ ...input, recipe }))).toEqual([["uneven-ending", "training", 1, ["t:1"]]]);
    expect(runChecks(input)).toEqual([]);
  });

  test("one side ends in EOS, the other doesn't", () => {
    const given: Given[] = [
      {
        ids: [
          [5, 6, EOS],
          [7, 8],
        ],
      },
      {
        ids: [
          [5, 6],
          [7, 8],
        ],
      },
      {
        ids: [
          [5, EOS],
          [7, EOS],
        ],
      },
    ];
    expect(found(given)).toEqual([["uneven-ending", "training", 1, ["t:41"]]]);
    expect(found([{ prompt: "p", chosen: "a$", rejected: "b" }], { addEos: false })).toEqual([
      ["uneven-ending", "training", 1, ["t:41"]],
    ]);
  });

  test("in the base's pad: a note, since training reads the last token and saves another pad", () => {
    const findings = findingsOf(clean, { padTokenId: EOS });
    expect(findings).toMatchObject([{ check: "pad-ending", severity: "note", count: 80 }]);
    expect(findings[0]?.message).toContain(
      "40 chosen and 40 rejected training sides end in the base's pad_token_id (2, its EOS)",
    );
    expect(
      found(
        [
          {
            ids: [
              [9, 5],
              [9, EOS],
            ],
          },
        ],
        { padTokenId: 5, addEos: true },
      ),
    ).toEqual([
      ["uneven-ending", "training", 1, ["t:41"]],
      ["pad-ending", "training", 1, ["t:41"]],
    ]);
    // A lone pad is read anyway.
    expect(found([{ ids: [[5], [6]] }], { padTokenId: 5 })).toEqual([]);
  });
});

test("a prompt that merges with a reply: how many tokens both sides share less", () => {
  const given: Given[] = [
    { prompt: "right", chosen: "hand", rejected: " arm" },
    { prompt: "left", chosen: " hand", rejected: " arm" },
    { prompt: "that", chosen: "hin", rejected: "he" },
  ];
  const findings = findingsOf([...clean, ...given]);
  expect(short(findings)).toEqual([["prompt-boundary", "training", 2, ["t:41", "t:43"]]]);
  expect(findings[0]).toMatchObject({
    severity: "note",
    message: expect.stringMatching(/^2 training prompts .* 2 tokens less can be shared/),
  });
});
