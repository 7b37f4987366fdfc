/** @file The promise: a reward does not depend on its neighbours. Equal bits alone, in any batch, order and packing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RewardModel } from "../../src/audit/reward-model.ts";
import type { Item } from "../../src/data/pack.ts";
import { permutation, Random } from "../../src/data/random.ts";
import { type TinyModel, tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";

const device = useGpu();

const MODELS: readonly (readonly [string, TinyModel])[] = [
  ["llama", { family: "llama" }],
  ["qwen2 in BF16", { family: "qwen2", dtype: "BF16", config: { num_key_value_heads: 1 } }],
  ["qwen3", { family: "qwen3", config: { head_dim: 12 } }],
  ["gpt2 in F16", { family: "gpt2", dtype: "F16", config: { n_positions: 200 } }],
];

// Few ids, so that prompts and replies share beginnings; long enough for several tiles of keys and of rows.
const ids = (maxLength: number) => fc.array(fc.nat(3), { minLength: 1, maxLength, size: "max" });
const item: fc.Arbitrary<Item> = fc
  .record({
    prompt: fc.constantFrom(
      [],
      Array.from({ length: 5 }, (_, i) => i),
      Array.from({ length: 70 }, (_, i) => (7 * i) % 40),
    ),
    replies: fc.array(ids(40), { minLength: 1, maxLength: 3 }),
    grouped: fc.boolean(),
  })
  .map(({ prompt, replies, grouped }) => ({
    sequences: replies.map((reply) => Int32Array.from([...prompt, ...reply])),
    ...(grouped ? { group: `${prompt.length}` } : {}),
  }));
const run = fc.record({
  items: fc.array(item, { minLength: 2, maxLength: 5 }),
  batchTokens: fc.constantFrom(1, 50, 150, 4096),
  perToken: fc.boolean(),
  seed: fc.nat(1000),
});

describe.each(MODELS)("%s", (_, spec) => {
  it("rewards alone and in a batch have the same bits", async () => {
    using model = await RewardModel.load(device(), await tinyModel(spec));
    await fc.assert(
      fc.asyncProperty(run, async ({ items, batchTokens, perToken, seed }) => {
        const alone: Float32Array[][] = [];
        for (const { sequences } of items) {
          const rewards: Float32Array[] = [];
          for (const ids of sequences) {
            const [[only] = []] = await model.scoreItems([{ sequences: [ids] }], { perToken: true });
            rewards.push(only?.perToken ?? expect.fail("no reward"));
          }
          alone.push(rewards);
        }
        const order = permutation(items.length, new Random(seed, 0));
        const shuffled = Array.from(order, (i) => items[i] ?? expect.fail("no item"));
        const together = await model.scoreItems(shuffled, { batchTokens, perToken });
        order.forEach((i, at) => {
          together[at]?.forEach(({ reward, perToken: every, ids }, n) => {
            const expected = alone[i]?.[n] ?? expect.fail("no reward");
            expect(ids).toEqual(items[i]?.sequences[n]);
            expect(reward).toBe(expected.at(-1));
            if (perToken) expect(every).toEqual(expected);
          });
        });
        expect(together.map((r) => r.length)).toEqual(shuffled.map((i) => i.sequences.length));
      }),
      { numRuns: 8 },
    );
    // Rewards that are all alike would agree by chance.
    const scored = await model.scoreItems([{ sequences: [Int32Array.of(1, 2, 3)] }], { perToken: true });
    expect(new Set(scored[0]?.[0]?.perToken).size).toBe(3);
  });
});
