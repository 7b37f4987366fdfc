/** @file The held-out part: no shared prompt, the right size, the same for the same seed. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Content } from "../../src/data/content.ts";
import { epochOrder, splitByPrompt, splitKey } from "../../src/data/split.ts";
import { InputError } from "../../src/errors.ts";

const pair = (prompt: string, reply = "a"): Content => ({ kind: "text", prompt, replies: [reply, "b"] });

test("every record is on one side, no prompt on both, both sides have some, and the seed decides", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(12), { minLength: 2, maxLength: 60 }).filter((prompts) => new Set(prompts).size > 1),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      fc.nat(),
      (prompts, fraction, seed) => {
        const contents = prompts.map((prompt) => pair(`p${prompt}`));
        const split = splitByPrompt(contents, fraction, seed);
        expect([...split.train, ...split.eval].sort((a, b) => a - b)).toEqual(prompts.map((_, i) => i));
        const evalPrompts = new Set(split.eval.map((i) => prompts[i]));
        expect(split.train.some((i) => evalPrompts.has(prompts[i]))).toBe(false);
        expect(split.train.length).toBeGreaterThan(0);
        expect(split.eval.length).toBeGreaterThan(0);
        expect(splitByPrompt(contents, fraction, seed)).toEqual(split);
      },
    ),
  );
});

test("with distinct prompts the share is exact, and another seed draws others", () => {
  const contents = Array.from({ length: 200 }, (_, i) => pair(`p${i}`));
  const split = splitByPrompt(contents, 0.1, 0);
  expect(split.eval.length).toBe(20);
  expect(splitByPrompt(contents, 0.1, 1).eval).not.toEqual(split.eval);
  expect(splitByPrompt(contents, 0, 0).eval).toEqual([]);
});

test("records without a prompt are told apart by their replies, in either order", () => {
  expect(splitKey(pair("", "x"))).not.toBe(splitKey(pair("", "y")));
  expect(splitKey({ kind: "text", prompt: "", replies: ["b", "x"] })).toBe(splitKey(pair("", "x")));
  expect(splitKey({ kind: "ids", prompt: [], replies: [[1, 2], [3]] })).not.toBe(
    splitKey({ kind: "ids", prompt: [], replies: [[1], [2, 3]] }),
  );
  expect(splitByPrompt([pair("", "x"), pair("", "y")], 0.5, 0).eval.length).toBe(1);
});

test("one prompt can't be split, a wrong share is refused", () => {
  expect(() => splitByPrompt([pair("p"), pair("p")], 0.1, 0)).toThrow(
    /all 2 records share one prompt.*--eval-split 0/,
  );
  expect(() => splitByPrompt([pair("p")], 1, 0)).toThrow(InputError);
  expect(() => splitByPrompt([pair("p")], Number.NaN, 0)).toThrow(InputError);
});

test("each epoch has its own order, the same in every run", () => {
  expect(epochOrder(30, 0, 1)).toEqual(epochOrder(30, 0, 1));
  expect(epochOrder(30, 0, 1)).not.toEqual(epochOrder(30, 0, 2));
  expect(epochOrder(30, 0, 1)).not.toEqual(epochOrder(30, 1, 1));
});

test("conversations with equal messages stay together, however their prompts were written", () => {
  const chat = (question: string) => {
    return { kind: "chat", prompt: [{ role: "user", content: question }], replies: [[], []] } as const;
  };
  const record = (question: string, prompt: string): Content => {
    return { kind: "text", prompt, replies: ["a", "b"], chat: chat(question) };
  };
  expect(splitKey(record("q", "one text"))).toBe(splitKey(record("q", "another")));
  expect(splitKey(record("q", "one text"))).not.toBe(splitKey(record("r", "one text")));
});
