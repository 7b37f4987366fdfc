/**
 * @file A head alone, on features that are kept: whole runs of `rmtrain train`, from the first line read to the saved
 * model, beside one pass of the backbone over the same pairs. Without kept features every epoch is such a pass.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadBackbone } from "../../src/model/load.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { readIndex } from "../../src/model/recipe.ts";
import { computeFeatures, releaseFeatures } from "../../src/train/features.ts";
import { trainDefaults } from "../../src/train/options.ts";
import { type TrainResult, train } from "../../src/train/train.ts";
import { interleave } from "../lib/interleave.ts";
import { timed } from "./clock.ts";
import { type Context, spread, type Table } from "./table.ts";

const here = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
/** Of the example's pairs, unless a file is given. */
const examplePairs = 200;
const cases = [
  { epochs: 1, kept: false },
  { epochs: 5, kept: false },
  { epochs: 20, kept: false },
  { epochs: 20, kept: true },
];

export const head: Table = {
  name: "head",
  title: "A head on kept features",
  how: "Whole runs of `train`, in passes of the backbone over all pairs. Off: one pass for every epoch, and nothing for the head. `--feature-cache`: an earlier run has kept the features on the disk.",
  columns: ["", "epochs", "passes off", "passes on", "whole run, ms", "in passes", "faster than off"],
  async *rows(context) {
    using folder = temporaryFolder();
    const { gpu, model = here("models/base") } = context;
    const data = context.data ?? someExamples(folder.dir);
    let runs = 0;
    const cache = join(folder.dir, "cache");
    const run = (epochs: number, kept: boolean) => {
      const out = join(folder.dir, `run-${runs++}`);
      const options = { model, data, out, epochs, overlong: "left", report: false } as const;
      return train(gpu, kept ? { ...options, featureCache: cache } : options);
    };
    const result = await run(1, true);
    await using opened = await openModelFolder(model);
    const { backbone } = await loadBackbone(gpu, opened);
    const pass = () => timed(() => onePass(context, result, opened.config.hiddenSize, backbone));
    const [one, ...whole] = await interleave(
      [
        { name: "pass", run: pass },
        ...cases.map(({ epochs, kept }) => ({ name: "run", run: () => timed(() => run(epochs, kept)) })),
      ],
      { rounds: 3 },
    );
    backbone.release();
    const passes = (seconds: number) => (seconds / one!.median).toFixed(2);
    yield ["one pass of the backbone", "", "", "", spread(one!), "1.00", ""];
    yield* cases.map(({ epochs, kept }, n) => {
      const { median } = whole[n]!;
      const name = kept ? "`--feature-cache`, second run" : "features kept for the run";
      return [
        name,
        epochs,
        epochs,
        kept ? 0 : 1,
        spread(whole[n]!),
        passes(median),
        `${((epochs * one!.median) / median).toFixed(1)}×`,
      ];
    });
  },
};

function someExamples(dir: string): string {
  const file = join(dir, "pairs.jsonl");
  const lines = readFileSync(here("examples/prefs.jsonl"), "utf8").trimEnd().split("\n");
  const step = lines.length / examplePairs;
  writeFileSync(file, lines.filter((_, n) => n % step === 0).join("\n"));
  return file;
}

function temporaryFolder(): { readonly dir: string } & Disposable {
  const dir = mkdtempSync(join(tmpdir(), "rmtrain-once-"));
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Pairs as ids are given, weights are on the device, pipelines are built. */
async function onePass(
  { gpu }: Context,
  { dataset }: TrainResult,
  width: number,
  backbone: Awaited<ReturnType<typeof loadBackbone>>["backbone"],
): Promise<void> {
  const items = [...dataset.train.examples, ...(dataset.eval?.examples ?? [])].map(({ item }) => item);
  const read = (ids: Int32Array) => readIndex(ids, { readPosition: "last" });
  const options = { batchTokens: trainDefaults.batchTokens };
  const features = await computeFeatures(gpu, width, items, read, options, (_, work) => work(backbone));
  releaseFeatures(gpu, features);
}
