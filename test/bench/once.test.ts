import { describe, expect, it } from "vitest";
import { someIds } from "../../bench/once/model.ts";
import { apart, tokensOf } from "../../bench/once/passes.ts";
import { compare, comparisonCells } from "../../bench/once/table.ts";

describe("bench/once", () => {
  it("relates what was measured to what the costs predict", async () => {
    const off = [9, 8, 10].values();
    const found = await compare(
      { cost: 30, run: async () => off.next().value ?? Number.NaN },
      [
        { cost: 10, run: async () => 3 },
        { cost: 15, run: async () => 6 },
      ],
      0,
    );
    expect(found.map(({ predicted, measured }) => [predicted, measured])).toEqual([
      [3, 3],
      [2, 1.5],
    ]);
    expect(comparisonCells(found[1]!).slice(-3)).toEqual(["2.00×", "1.50×", "75 %"]);
  });

  it("counts a shared prompt once, and with every reply where sequences stand apart", () => {
    const prompt = someIds(20, 0);
    const reply = (n: number) => Int32Array.from([...prompt, ...someIds(5, n)]);
    const items = [{ sequences: [reply(1), reply(2), reply(3)] }];
    expect(tokensOf(items)).toBe(20 + 3 * 5);
    expect(tokensOf(apart(items))).toBe(3 * 25);
  });
});
