/** @file The base's recipe on small things: what it writes is read back, and bits per byte are those of the reference. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countWords, trainBpe } from "../../scripts/lib/bpe.ts";
import { bitsPerByte, windowsOf } from "../../scripts/lib/pretrain/bits-per-byte.ts";
import { curveTable } from "../../scripts/lib/pretrain/curve.ts";
import { writeInitial } from "../../scripts/lib/pretrain/initial.ts";
import { factsOf, findCorpus } from "../../scripts/lib/pretrain/texts.ts";
import { SPECIALS } from "../../scripts/lib/tokenizer-files.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { loadTokenizer } from "../../src/model/tokenizer.ts";
import { temporaryFolder } from "../model/tiny-model.ts";
import { referenceForward, tokenLogProbabilities } from "../reference/forward.ts";
import { realModel } from "../reference/goldens.ts";
import { readModelFolder } from "../reference/safetensors.ts";
import { useGpu } from "../support/gpu.ts";

const gpu = useGpu();

describe("the untrained base", () => {
  const text = "The cat sat. The cat ran, and the other cats didn't. ".repeat(20);
  const vocabulary = trainBpe(countWords([text]), 300, SPECIALS);
  const shape = { vocabulary: 300, width: 16, layers: 2, heads: 2, mlpWidth: 24, positions: 32 };
  const settings = { shape, initialisation: { std: 0.02, scaleResiduals: true, seed: 3 } };

  it("is a Llama in bfloat16 whose tokenizer begins every text with the BOS, and none twice", async () => {
    const dir = temporaryFolder();
    const parameters = await writeInitial(dir, vocabulary, settings);
    await using folder = await openModelFolder(dir);
    const tensors = [...folder.checkpoint.tensors.values()];
    expect(new Set(tensors.map(({ dtype }) => dtype))).toEqual(new Set(["BF16"]));
    const sizes = tensors.map((tensor) => tensor.shape.reduce((n, d) => n * d, 1));
    expect(sizes.reduce((sum, n) => sum + n, 0)).toBe(parameters);
    const tokenizer = await loadTokenizer(dir);
    const [bos = -1] = tokenizer.encode("", { addSpecialTokens: true });
    expect([bos, tokenizer.bosTokenId, tokenizer.eosTokenId]).toEqual([0, 0, 0]);
    const plain = tokenizer.encode("The cat", { addSpecialTokens: false });
    expect([...tokenizer.encode("The cat", { addSpecialTokens: true })]).toEqual([0, ...plain]);
    expect(tokenizer.decode(plain)).toBe("The cat");
    expect(plain.length).toBeLessThan(4);
  });

  it("has the same bytes again", async () => {
    const [a, b] = [temporaryFolder(), temporaryFolder()];
    for (const dir of [a, b]) await writeInitial(dir, vocabulary, settings);
    for (const file of ["tokenizer.json", "tokenizer_config.json", "config.json", "model.safetensors"])
      expect(readFileSync(join(a, file)).equals(readFileSync(join(b, file)))).toBe(true);
  });
});

describe("bits per byte", () => {
  it("predicts every token once, with the context that is asked for", () => {
    fc.assert(
      fc.property(fc.nat(90), fc.integer({ min: 2, max: 20 }), fc.nat(18), (n, length, some) => {
        const context = 1 + (some % (length - 1));
        const ids = Int32Array.from({ length: n }, (_, i) => 100 + i);
        const windows = windowsOf(ids, 7, { length, context });
        expect(windows.flatMap((window) => [...window.ids.subarray(window.start)])).toEqual([...ids]);
        for (const [i, window] of windows.entries()) {
          expect(window.ids[0]).toBe(7);
          expect(window.ids.length).toBeLessThanOrEqual(length);
          expect(window.start).toBeGreaterThanOrEqual(i === 0 ? 1 : context);
          expect([...window.ids.subarray(1)]).toEqual(
            [...window.ids.keys()].slice(1).map((k) => window.ids[1]! + k - 1),
          );
        }
      }),
    );
  });

  it("is what the float64 reference says of the same windows", async () => {
    const dir = realModel("stories260k");
    const text = "Once upon a time, there was a little girl named Lily. She liked to play.";
    const options = { length: 12, context: 5 };
    const found = await bitsPerByte(gpu(), dir, [text], options);
    await using folder = await openModelFolder(dir);
    const ids = (await loadTokenizer(dir)).encode(text, { addSpecialTokens: false });
    const weights = readModelFolder(dir);
    let nats = 0;
    for (const window of windowsOf(ids, 1, options)) {
      const { logits = new Float64Array() } = referenceForward(folder.config, weights, [...window.ids]);
      const logps = tokenLogProbabilities(logits, window.ids, folder.config.vocabSize);
      for (const logp of logps.subarray(window.start - 1)) nats -= logp;
    }
    expect(windowsOf(ids, 1, options).length).toBeGreaterThan(1);
    expect(found).toMatchObject({ tokens: ids.length, bytes: Buffer.byteLength(text) });
    expect(Math.abs(found.perToken - nats / ids.length)).toBeLessThan(1e-5 * found.perToken);
    expect(found.bitsPerByte).toBeCloseTo(nats / Math.LN2 / Buffer.byteLength(text), 5);
  });
});

describe("the texts", () => {
  it("are what the folder holds, and those named valid are held out", async () => {
    const dir = temporaryFolder();
    for (const name of ["b.txt", "a.txt", "valid-1.txt", "notes.md"])
      writeFileSync(join(dir, name), `${name} é`);
    const { train, valid } = await findCorpus(dir);
    expect([train, valid]).toEqual([[join(dir, "a.txt"), join(dir, "b.txt")], [join(dir, "valid-1.txt")]]);
    expect(await factsOf(train[0]!)).toMatchObject({ name: "a.txt", bytes: 8 });
  });

  it("without one to hold out they are refused", async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, "a.txt"), "text");
    await expect(findCorpus(dir)).rejects.toThrow(/one whose name begins with "valid"/);
  });
});

it("the curve's rows hold the mean training loss since the last one", () => {
  const curve = [
    { step: 10, loss: 4 },
    { step: 20, loss: 2 },
    { step: 20, watched: 2.5 },
    { step: 30, loss: 1.5 },
    { step: 40, watched: 1.25 },
  ];
  expect(curveTable(curve).split("\n").slice(2)).toEqual([
    "| 20 | 3.000 | 2.500 |",
    "| 40 | 1.500 | 1.250 |",
  ]);
});
