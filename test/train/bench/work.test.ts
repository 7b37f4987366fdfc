/** @file The arithmetic of a pass, counted for the benchmark's shares, against a count product by product. */
import { expect, it } from "vitest";
import { pack } from "../../../src/data/pack.ts";
import { syntheticFolder } from "../../../src/model/synthetic.ts";
import { forwardWork, trainingWork } from "../../../src/train/bench/work.ts";

const shape = {
  hidden: 16,
  layers: 3,
  heads: 4,
  kvHeads: 2,
  intermediate: 20,
  vocabulary: 30,
  dtype: "f32",
} as const;

it("counts the products of linears and of attention along each path", () => {
  const { config } = syntheticFolder(shape, 16);
  // A prompt of two tokens, and replies of three and of one more.
  const sequences = [
    [1, 2, 3, 4, 5],
    [1, 2, 9],
  ].map((ids) => Int32Array.from(ids));
  const batch = pack([{ sequences }]);
  expect(batch.rows).toBe(6);
  let products = 0;
  for (let layer = 0; layer < 3; layer++) {
    for (const path of [1, 2, 3, 4, 5, 3]) {
      products += 16 * (4 + 2 + 2) * 4; // q, k and v
      products += path * 4 * 4 * 2; // scores and mixtures
      products += 4 * 4 * 16; // out
      products += 3 * 16 * 20; // gate, up and down
    }
  }
  expect(forwardWork(config, batch)).toBe(2 * products);
  expect(forwardWork(config, batch, true)).toBe(2 * products + 2 * 6 * 16 * 30);
  expect(trainingWork(config, batch)).toBe(6 * products);
});
