/** @file The reward of every prefix of a text: one causal pass, against each prefix as a text of its own. */
import { timed } from "./clock.ts";
import { someIds } from "./model.ts";
import { Passes } from "./passes.ts";
import { compare, comparisonCells, comparisonColumns, type Table } from "./table.ts";

export const trace: Table = {
  name: "trace",
  title: "A trace in one pass",
  how: "Off: every prefix of the text is scored, in full batches. Predicted: (n + 1) / 2 for n tokens. The rewards of both are equal bit for bit; that is checked.",
  columns: ["tokens of the text", ...comparisonColumns],
  async *rows({ gpu }) {
    using passes = await Passes.open(gpu);
    for (const tokens of [32, 64, 128]) {
      const ids = someIds(tokens, 0);
      const prefixes = Array.from(ids, (_, p) => ({ sequences: [ids.slice(0, p + 1)] }));
      const [one, each] = [await passes.trace(ids), await passes.rewards(prefixes)];
      if (each.some((value, p) => !Object.is(value, one[p])))
        throw new Error("a prefix has another reward in the trace");
      const [found] = await compare(
        { cost: (tokens * (tokens + 1)) / 2, run: passes.score(prefixes) },
        [{ cost: tokens, run: () => timed(() => passes.trace(ids)) }],
        0,
      );
      yield [tokens, ...comparisonCells(found!)];
    }
  },
};
