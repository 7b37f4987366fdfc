/** @file No padding: real pairs, padded to the longest of each batch as other trainers do, against the packed batch. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Item } from "../../src/data/pack.ts";
import { type TokenisedContent, tokenise } from "../../src/data/tokenise.ts";
import { loadTokenizer } from "../../src/model/tokenizer.ts";
import { shape } from "./model.ts";
import { apart, directions, Passes, tokensOf } from "./passes.ts";
import { compare, comparisonCells, comparisonColumns, type Table } from "./table.ts";

/** TRL's default batch on a device. */
const batchPairs = 8;
/** Batches are taken until they have so many tokens with their padding. */
const enough = 3000;
const maxLength = 512;
const pad = 1;
/** Of models/base, whose tokenizer is taken. */
const vocabulary = 2048;

const here = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

function dataSets(): { name: string; file: string }[] {
  const shared = process.env.RMTRAIN_SHARED;
  const real = ["hh-harmless", "qa-feedback", "blimp"].map((name) => ({
    name,
    file: join(shared ?? "", "data", name, "eval.jsonl"),
  }));
  const example = { name: "examples/prefs", file: here("examples/prefs.jsonl") };
  return [...real.filter(({ file }) => shared !== undefined && existsSync(file)), example];
}

export const padding: Table = {
  name: "padding",
  title: "No padding",
  how: `Off: in batches of ${batchPairs} pairs (as they stand in the file, at most ${maxLength} tokens, models/base's tokenizer) every sequence is padded to the longest. Packed: the same sequences without padding; shared: their prompts computed once, too. Predicted: the tokens; "whole file": the same ratio over all its batches. One layer.`,
  columns: ["pairs of", "", "", "tokens off", "tokens on", ...comparisonColumns, "whole file"],
  async *rows({ gpu }) {
    using passes = await Passes.open(gpu, { ...shape, layers: 1 });
    for (const { name, file } of dataSets()) {
      const all = batchesOf(await itemsOf(file));
      const some = all.slice(0, batchesFor(all));
      const [padded, on] = [some.flatMap(paddedItems), some.flat()];
      const ways = { packed: apart(on), shared: on };
      const whole = tokensOf(all.flatMap(paddedItems));
      const share = { packed: whole / tokensOf(apart(all.flat())), shared: whole / tokensOf(all.flat()) };
      for (const what of ["score", "learn"] as const) {
        const way = (items: readonly Item[]) => ({ cost: tokensOf(items), run: passes[what](items) });
        const found = await compare(way(padded), Object.values(ways).map(way));
        for (const [n, kind] of (["packed", "shared"] as const).entries()) {
          const tokens = [tokensOf(padded), tokensOf(ways[kind])];
          const cells = [name, kind, directions[what], ...tokens, ...comparisonCells(found[n]!)];
          yield [...cells, `${share[kind].toFixed(2)}×`];
        }
      }
    }
  },
};

async function itemsOf(file: string): Promise<TokenisedContent[]> {
  const encoder = await loadTokenizer(here("models/base"));
  const recipe = { addEos: true, eosTokenId: encoder.eosTokenId ?? 0, readPosition: "last" } as const;
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line, n) => {
    const { prompt, chosen, rejected } = JSON.parse(line) as Record<string, string>;
    const content = { kind: "text", prompt: prompt ?? "", replies: [chosen ?? "", rejected ?? ""] } as const;
    const cut = { maxLength, overlong: "left" } as const;
    return tokenise(content, `${file}:${n + 1}`, { encoder, recipe, vocabSize: vocabulary, ...cut });
  });
}

const batchesOf = (items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.floor(items.length / batchPairs) }, (_, n) =>
    items.slice(n * batchPairs, (n + 1) * batchPairs),
  );

function batchesFor(batches: readonly (readonly Item[])[]): number {
  let tokens = 0;
  const last = batches.findIndex((batch) => {
    tokens += tokensOf(paddedItems(batch));
    return tokens >= enough;
  });
  return last < 0 ? batches.length : last + 1;
}

function paddedItems(batch: readonly Item[]): Item[] {
  const all = batch.flatMap(({ sequences }) => sequences);
  const longest = Math.max(...all.map(({ length }) => length));
  return all.map((ids) => {
    const sequence = new Int32Array(longest).fill(pad);
    sequence.set(ids);
    return { sequences: [sequence] };
  });
}
