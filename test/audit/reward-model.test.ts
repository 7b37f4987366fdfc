/** @file Loading, scoring and tracing through the library's class. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodePrefixes } from "../../src/audit/prefixes.ts";
import { RewardModel } from "../../src/audit/reward-model.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { readHead } from "../../src/model/reward-head.ts";
import { saveRewardModel } from "../../src/model/save.ts";
import { storiesReward } from "../model/stories-reward.ts";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { goldenModel } from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";

const device = useGpu();
const TEXT = "Once upon a time, a cat met a 😀 and\nsaid: naïve!";

describe.each([true, false])("stories260k with a head, EOS added: %s", (addEos) => {
  let model: RewardModel | undefined;
  const loaded = () => model ?? expect.fail("not loaded");
  beforeAll(async () => {
    model = await RewardModel.load(device(), await storiesReward(addEos));
  });
  afterAll(() => model?.release());

  it("follows the recipe: EOS where it adds one, not twice", () => {
    expect(loaded().encode("a").at(-1) === 2).toBe(addEos);
    expect([...loaded().encode("a</s>")].filter((id) => id === 2).length).toBe(1);
    expect(loaded().encode("a")[0]).toBe(1);
  });

  it("a trace has the bits of scoring each prefix alone, and ends in the reward", async () => {
    const points = await loaded().trace(TEXT);
    const ids = loaded().encode(TEXT);
    expect(points.map((p) => p.tokenId)).toEqual([...ids]);
    for (let p = 0; p < ids.length; p += 3) {
      const [[alone] = []] = await loaded().scoreItems([{ sequences: [ids.subarray(0, p + 1)] }]);
      expect(points[p]?.reward).toBe(alone?.reward);
    }
    expect(points.at(-1)?.reward).toBe((await loaded().score([TEXT]))[0]);
    const [[all] = []] = await loaded().scoreItems([{ sequences: [ids] }], { perToken: true });
    expect(points.map((p) => p.reward)).toEqual([...(all?.perToken ?? [])]);
  });

  it("prefixes grow to the text; no half character is shown", async () => {
    const points = await loaded().trace(TEXT);
    let before = "";
    for (const { token, prefix } of points) {
      expect(prefix).toBe(before + token);
      expect(prefix).not.toContain("\ufffd");
      before = prefix;
    }
    expect(before.trimStart()).toBe(addEos ? `${TEXT}</s>` : TEXT);
    expect(points[0]).toMatchObject({ tokenId: 1, token: "", prefix: "" });
    if (addEos) expect(points.at(-1)).toMatchObject({ tokenId: 2, token: "</s>" });
  });

  it("scores texts in order, whatever else is asked in between", async () => {
    const texts = ["The dog ran.", "The dog", "A bird", "The dog ran."];
    const [all, some] = await Promise.all([loaded().score(texts), loaded().score(texts.slice(1, 3))]);
    expect(all.slice(1, 3)).toEqual(some);
    expect(all[0]).toBe(all[3]);
    expect(all[0]).not.toBe(all[1]);
    expect(await loaded().score([])).toEqual([]);
  });
});

it("a saved model gives the rewards of the one it was saved from, also where its vocabulary grew", async () => {
  for (const dir of [goldenModel("llama"), goldenModel("gpt2"), goldenModel("qwen2")]) {
    await using base = await openModelFolder(dir);
    const weight = (await readHead(base)) ?? expect.fail("no head");
    const out = join(temporaryFolder(), "saved");
    await saveRewardModel(out, base, { weight, recipe: { addEos: false, readPosition: "last" } });
    using before = await RewardModel.load(device(), dir);
    using after = await RewardModel.load(device(), out);
    expect(after.config.vocabSize).toBe(before.config.vocabSize + 1);
    const items = [[5, 9, 3, 1], [7]].map((ids) => ({ sequences: [Int32Array.from(ids)] }));
    const rewards = await after.scoreItems(items, { perToken: true });
    expect(rewards).toEqual(await before.scoreItems(items, { perToken: true }));
  }
});

it("reads ids that end in the pad token as the checkpoint's recipe says", async () => {
  using model = await RewardModel.load(
    device(),
    await tinyModel({ family: "llama", config: { pad_token_id: 0 } }),
  );
  const [[padded] = [], [plain] = []] = await model.scoreItems(
    [
      [4, 5, 0, 0],
      [4, 5],
    ].map((ids) => ({ sequences: [Int32Array.from(ids)] })),
  );
  expect(padded?.reward).toBe(plain?.reward);
  expect(model.differsFromLast(Int32Array.of(4, 5, 0))).toBe(true);
  expect(model.differsFromLast(Int32Array.of(0, 5))).toBe(false);
});

it("says what a text needs that is too long for learned positions, or that has no tokenizer", async () => {
  using model = await RewardModel.load(device(), await tinyModel({ family: "gpt2" }));
  const ids = (n: number) => ({ kind: "ids", prompt: [], replies: [new Array<number>(n).fill(3)] }) as const;
  expect(model.tokenise(ids(48), "here").sequences[0]?.length).toBe(48);
  expect(() => model.tokenise(ids(49), "there:7")).toThrow(/^there:7: 49 tokens, .* 48; .*--truncate/);
  expect(() => model.encode("text")).toThrow(/needs a tokenizer/);
});

it("counts the tokens that a shared prompt saves", async () => {
  using model = await RewardModel.load(device(), await tinyModel({ family: "llama" }));
  const prompt = new Array<number>(20).fill(7);
  await model.scoreItems([
    { sequences: [Int32Array.from([...prompt, 1]), Int32Array.from([...prompt, 2, 3])] },
  ]);
  expect(model.counts).toEqual({ computed: 20 + 1 + 2, padded: 2 * 22 });
});

it("a decoder that drops spaces or tidies up never makes a prefix that the text does not begin with", () => {
  const tokenizer = {
    vocabSize: 4,
    specialIds: [],
    encode: () => new Int32Array(),
    decode: (ids: ArrayLike<number>) =>
      Array.from(ids, (id) => ["a", " ", "b", "."][id])
        .join("")
        .replace(/ +$/, "")
        .replace(/ \./, "."),
  };
  expect(decodePrefixes(tokenizer, Int32Array.of(0, 1, 2, 1, 3))).toEqual(["a", "a", "a b", "a b", "a b."]);
  expect(decodePrefixes(tokenizer, new Int32Array())).toEqual([]);
});
