/** @file A process that adds rows to a cache until it is killed, and says when it has begun: DIR FIRST-ROW. */
import { FeatureCache } from "../../../src/train/feature-cache/cache.ts";
import { rowsOf, space } from "./numbered-rows.ts";

const [dir = "", first = "0"] = process.argv.slice(2);
// So small that segments end, too, while it writes.
const limit = 2 ** 18;
for (let n = Number(first); ; ) {
  const cache = new FeatureCache({ dir, limit }, space("a"), () => {});
  for (let batch = 0; batch < 40; batch++, n += 3) {
    await cache.add(rowsOf([n, n + 1, n + 2]));
    if (batch === 5) process.stdout.write("writing\n");
  }
  await cache.close();
}
