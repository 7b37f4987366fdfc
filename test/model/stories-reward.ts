/** @file stories260k with a random reward head, saved as our own checkpoint: a real tokenizer and a real model. */
import { join } from "node:path";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { saveRewardModel } from "../../src/model/save.ts";
import { loadTokenizer } from "../../src/model/tokenizer.ts";
import { realModel } from "../reference/goldens.ts";
import { normals } from "../support/numbers.ts";
import { temporaryFolder } from "./tiny-model.ts";

/** @returns the folder */
export async function storiesReward(addEos: boolean): Promise<string> {
  await using base = await openModelFolder(realModel("stories260k"));
  const out = join(temporaryFolder(), "stories");
  await saveRewardModel(out, base, {
    weight: Float32Array.from(normals(5, base.config.hiddenSize, 0.1)),
    recipe: { addEos, eosTokenId: 2, readPosition: "last" },
    tokenizer: await loadTokenizer(base.dir),
  });
  return out;
}
