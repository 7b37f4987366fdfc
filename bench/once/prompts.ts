/** @file Prompts that several replies share: computed once, forwards and backwards, against every sequence by itself. */
import type { Item } from "../../src/data/pack.ts";
import { someIds } from "./model.ts";
import { apart, directions, expectEqual, Passes, tokensOf } from "./passes.ts";
import { compare, comparisonCells, comparisonColumns, type Table } from "./table.ts";

/** Tokens of a prompt with a reply. */
const length = 128;
const shares = [0.2, 0.5, 0.9];
const kinds = [
  { name: "8 pairs", items: 8, replies: 2 },
  { name: "4 lists of 4", items: 4, replies: 4 },
  { name: "2 lists of 16", items: 2, replies: 16 },
];

export const prompts: Table = {
  name: "prompts",
  title: "Shared prompts",
  how: `Off: every sequence of prompt and reply (${length} tokens) by itself. Predicted: k (P + L) / (P + k L) for k replies, the tokens alone; attention to the prompt's keys is not shared.`,
  columns: ["", "prompt's share", "tokens off", "tokens on", "", ...comparisonColumns],
  async *rows({ gpu }) {
    using passes = await Passes.open(gpu);
    // Pipelines and buffers, once for all.
    await passes.learn([itemOf(length / 2, 16, 0)])();
    for (const { name, items, replies } of kinds) {
      for (const share of shares) {
        const on = Array.from({ length: items }, (_, i) => itemOf(Math.round(share * length), replies, i));
        const off = apart(on);
        await expectEqual(passes, off, on);
        const cells = [name, share, tokensOf(off), tokensOf(on)];
        for (const what of ["score", "learn"] as const) {
          const way = (these: readonly Item[]) => ({ cost: tokensOf(these), run: passes[what](these) });
          const [found] = await compare(way(off), [way(on)], 0);
          yield [...cells, directions[what], ...comparisonCells(found!)];
        }
      }
    }
  },
};

function itemOf(prompt: number, replies: number, seed: number): Item {
  const shared = someIds(prompt, seed);
  const sequences = Array.from({ length: replies }, (_, n) => {
    const ids = new Int32Array(length);
    ids.set(shared);
    ids.set(someIds(length - prompt, 100 + seed * replies + n), prompt);
    return ids;
  });
  return { sequences };
}
