/** @file Scoring many replies to one prompt: the prompt once, against every reply with it. */
import type { Item } from "../../src/data/pack.ts";
import { someIds } from "./model.ts";
import { apart, expectEqual, Passes, tokensOf } from "./passes.ts";
import { compare, comparisonCells, comparisonColumns, type Table } from "./table.ts";

const prompt = 256;
const reply = 32;

export const replies: Table = {
  name: "replies",
  title: "Many replies to one prompt",
  how: `A prompt of ${prompt} tokens and k replies of ${reply}. Off: every reply with the prompt, by itself. On: one record of k replies, or k records with the same prompt. Predicted: k (P + L) / (P + k L).`,
  columns: ["k", "", "tokens off", "tokens on", ...comparisonColumns],
  async *rows({ gpu }) {
    using passes = await Passes.open(gpu);
    for (const count of [4, 16, 32]) {
      const shared = someIds(prompt, 0);
      const sequences = Array.from({ length: count }, (_, n) =>
        Int32Array.from([...shared, ...someIds(reply, n + 1)]),
      );
      const list = [{ sequences }];
      const records = sequences.map((ids) => ({ sequences: [ids], group: "the prompt" }));
      const off = apart(list);
      for (const on of [list, records]) await expectEqual(passes, off, on);
      const way = (items: readonly Item[]) => ({ cost: tokensOf(items), run: passes.score(items) });
      const found = await compare(way(off), [list, records].map(way), 0);
      for (const [n, kind] of ["one record", "k records"].entries())
        yield [count, kind, tokensOf(off), tokensOf(list), ...comparisonCells(found[n]!)];
    }
  },
};
