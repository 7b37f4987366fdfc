/** @file Weights kept in 16 bits as the checkpoint has them, against the same weights in 32. */
import { loraDefaults } from "../../src/model/adapter/settings.ts";
import { shape as defaultShape, someIds } from "./model.ts";
import { Passes } from "./passes.ts";
import { compare, comparisonCells, comparisonColumns, MiB, type Table } from "./table.ts";

const shape = { ...defaultShape, hidden: 768, heads: 12, kvHeads: 12, intermediate: 2048 };

export const bf16: Table = {
  name: "bf16",
  title: "bf16 weights",
  how: "Two layers of width 768. Off: the checkpoint in f32. Predicted: time no worse (1×); memory of the frozen weights by half.",
  columns: ["", "tokens", ...comparisonColumns],
  async *rows({ gpu }) {
    const options = { trainable: "lora", lora: loraDefaults, seed: 0 } as const;
    using off = await Passes.open(gpu, shape, options);
    using on = await Passes.open(gpu, { ...shape, dtype: "bf16" }, options);
    for (const [what, tokens] of [
      ["score", 8],
      ["score", 64],
      ["score", 256],
      ["learn", 256],
    ] as const) {
      const items = [{ sequences: [someIds(tokens, 0)] }];
      const [found] = await compare({ cost: 1, run: off[what](items) }, [{ cost: 1, run: on[what](items) }]);
      const name = what === "score" ? "forward" : "forward and backward, low-rank updates learn";
      yield [name, tokens, ...comparisonCells(found!)];
    }
    const saved = `${(off.weightBytes / on.weightBytes).toFixed(2)}×`;
    yield ["weights on the device, MiB", "", MiB(off.weightBytes), MiB(on.weightBytes), "2.00×", saved, ""];
  },
};
