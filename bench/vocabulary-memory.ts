/**
 * @file What the log-probabilities of tokens take of the device's memory, forwards and backwards, beside the logits that
 * are never materialised. Rehearsed: nothing is computed, so any machine shows it.
 *
 *   npx tsx bench/vocabulary-memory.ts
 */
import { openGpu } from "../src/gpu/gpu.ts";
import { tokenLogps, tokenLogpsBackward } from "../src/kernels/token-logps.ts";
import { createTensor } from "../src/tensor/tensor.ts";

const width = 256;
const MiB = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

using gpu = await openGpu({ backend: "null" });
console.log(
  `hidden size ${width}; MiB\ntokens\twords\tlogits\thidden states and their gradient\tall beside weights`,
);
for (const tokens of [1024, 16_384, 65_536]) {
  for (const vocabulary of [32_000, 151_936]) {
    const { peak } = gpu.rehearse(() => {
      using _ = gpu.scope();
      const weight = createTensor(gpu, vocabulary, width, "weight");
      const hidden = createTensor(gpu, tokens, width, "hidden");
      const targets = createTensor(gpu, tokens, 1, "targets", { dtype: "i32" });
      const { lse } = tokenLogps(gpu, hidden, weight, targets);
      const gradient = createTensor(gpu, tokens, 1, "gradient");
      tokenLogpsBackward(gpu, { hidden, weight, targets, lse, gradient }, { hidden: "new" });
    });
    const weight = gpu.rehearse(() => void createTensor(gpu, vocabulary, width, "weight")).peak;
    const row = [4 * tokens * vocabulary, 8 * tokens * width, peak - weight].map(MiB);
    console.log([tokens, vocabulary, ...row].join("\t"));
  }
}
