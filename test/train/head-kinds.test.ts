/** @file The head on rows (KTO) and on ranked lists: steps as the float64 formulas say, batches add up, the loss falls. */
import { describe, expect, it } from "vitest";
import { headName } from "../../src/model/reward-head.ts";
import { uploadTensor } from "../../src/tensor/tensor.ts";
import type { Example, LabelledRow, ListExample } from "../../src/train/example-sets.ts";
import type { ExampleForm } from "../../src/train/forms/form.ts";
import { checkExamples, formOf } from "../../src/train/forms/form-of.ts";
import { HeadRun } from "../../src/train/head-run.ts";
import { HeadTrainer } from "../../src/train/head-trainer.ts";
import type { TrainOptions } from "../../src/train/options.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";
import { trainOptions } from "./given-features.ts";

const gpu = useGpu();
const width = 5;
const count = 24;

const example = (replies: number, i: number) => ({
  item: {
    sequences: Array.from({ length: replies }, (_, n) => Int32Array.of(i, 90 + n)),
    truncated: new Array<boolean>(replies).fill(false),
    dropped: false,
    identical: false,
    whole: { lengths: new Array<number>(replies).fill(2), identical: false },
  },
  replyStarts: new Array<number>(replies).fill(1),
});
const record = (i: number, replies: number) => ({
  where: `given:${i + 1}`,
  content: {
    kind: "ids" as const,
    prompt: [i],
    replies: Array.from({ length: replies }, (_, n) => [90 + n]),
  },
  extra: {},
});

const rows = Array.from({ length: count }, (_, i): LabelledRow => {
  const wanted = i % 3 !== 0;
  return { ...example(1, i), wanted, record: { ...record(i, 1), kind: "row", wanted } };
});
const lists = Array.from({ length: count }, (_, i): ListExample => {
  const ranks = [
    [0, 1],
    [1, 0, 1],
    [2, 1, 0, 1],
  ][i % 3]!;
  return { ...example(ranks.length, i), ranks, record: { ...record(i, ranks.length), kind: "list", ranks } };
});

/** Features in which the first column tells good from bad; of a row's mismatched reply after all others. */
function given(kind: "rows" | "lists") {
  const good =
    kind === "rows" ? rows.map((r) => [r.wanted ? 1 : -1]) : lists.map((l) => l.ranks.map((k) => 1 - k));
  const flat = good.flat();
  const features = normals(3, (flat.length + count) * width, 0.3);
  for (const [i, g] of flat.entries()) features[i * width]! += g;
  let end = 0;
  const exampleRows = good.map(({ length }) => {
    end += length;
    return Int32Array.from({ length }, (_, n) => end - length + n);
  });
  const references = Int32Array.from({ length: count }, (_, i) => flat.length + i);
  return { features, exampleRows, references };
}

function open(kind: "rows" | "lists", options: TrainOptions, head: Float32Array) {
  const examples: readonly Example[] = kind === "rows" ? rows : lists;
  const { features, exampleRows, references } = given(kind);
  const form: ExampleForm = formOf(options, { train: examples, eval: examples }, 100);
  const table = uploadTensor(gpu(), features, width, "features");
  const own = {
    form,
    train: examples,
    trainRows: exampleRows,
    eval: examples,
    evalRows: exampleRows,
    ...(form.references === undefined ? {} : { references: { train: references, eval: references } }),
  };
  return { run: new HeadRun(new HeadTrainer(gpu(), table, head, options), own, options), own, features };
}

const cases = [
  ["rows", "kto"],
  ["lists", "plackett-luce"],
  ["lists", "lipo"],
] as const;

describe.each(cases)("%s, %s", (kind, loss) => {
  const options = (more: Partial<TrainOptions> = {}) =>
    trainOptions({ loss, batchSize: 8, logEvery: 4, lr: 0.05, maxGradNorm: 0, ...more });

  it("a step's metrics are the host's of the same rewards, and its gradient finite differences of that loss", async () => {
    using _ = gpu().scope();
    const head = normals(1, width, 0.5);
    const { run, own, features } = open(kind, options({ batchSize: count, logEvery: 1 }), head);
    using _run = run;
    const indices = Int32Array.from({ length: count }, (_, i) => i);
    const before = await run.evaluate(0);
    run.step(indices, 0.01);
    const [step] = await run.takeMetrics();
    const { metrics } = step!.batches[0]!;
    for (const name of ["loss", "accuracy", "margin", "min_reward", "mean_reward", "max_reward"] as const)
      expect(metrics[name]).toBeCloseTo(before!.metrics[name], 5);
    // Adam's first moment after one step is 0.1 of the gradient.
    const m = [...(await run.state()).m.get(headName)!.values].map((v) => v * 10);
    const rewardsUnder = (at: readonly number[]) => (row: number) =>
      at.reduce((sum, w, k) => sum + w * features[row * width + k]!, 0);
    // z has no gradient: it stays that of the head.
    const fixed = rewardsUnder([...head]);
    const z = Math.max(0, own.references === undefined ? 0 : mean([...own.references.train].map(fixed)));
    const lossAt = (at: readonly number[]) => {
      const of = rewardsUnder(at);
      return own.form.metrics(
        own.train,
        own.trainRows.map((r) => Float64Array.from(r, of) as unknown as Float32Array),
        z,
      ).loss;
    };
    for (const [k, found] of m.entries()) {
      const moved = (by: number) => lossAt([...head].map((w, j) => (j === k ? w + by : w)));
      expect(found).toBeCloseTo((moved(1e-4) - moved(-1e-4)) / 2e-4, 4);
    }
  });

  it("two batches of a step add up to one of all", async () => {
    using _ = gpu().scope();
    const indices = Int32Array.from({ length: count }, (_, i) => i);
    const heads: Float32Array[] = [];
    for (const [batchSize, gradientAccumulationSteps] of [
      [count, 1],
      [8, 3],
    ] as const) {
      const { run } = open(kind, options({ batchSize, gradientAccumulationSteps }), normals(2, width, 0.2));
      using _run = run;
      for (let i = 0; i < 3; i++) run.step(indices, 0.05);
      heads.push((await run.weights()).get(headName)!.values);
    }
    for (const [k, value] of heads[0]!.entries()) expect(heads[1]![k]).toBeCloseTo(value, 5);
  });

  it("the loss falls", async () => {
    using _ = gpu().scope();
    const { run } = open(kind, options(), new Float32Array(width));
    using _run = run;
    const first = (await run.evaluate(0))!.metrics;
    for (let step = 0; step < 40; step++) {
      run.step(
        Int32Array.from({ length: 8 }, (_, i) => (8 * step + i) % count),
        0.05,
      );
      if (step % 4 === 3) await run.takeMetrics();
    }
    const last = (await run.evaluate(40))!.metrics;
    expect(last.loss).toBeLessThan(0.8 * first.loss);
    expect(last.accuracy).toBeGreaterThan(0.85);
  });
});

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

describe("is refused with the reason:", () => {
  const check =
    (loss: string, examples: readonly Example[], more: Partial<TrainOptions> = {}, held = 0) =>
    () =>
      checkExamples(trainOptions({ loss, batchSize: 8, ...more }), {
        train: examples,
        eval: examples.slice(0, held),
      });

  it("rows one at a time", () => {
    expect(check("kto", rows, { batchSize: 1 })).toThrow(/--batch-size 1 of 24 rows.*at least two rows/);
    expect(check("kto", rows.slice(0, 1))).toThrow(/of 1 rows.*at least two/);
    expect(check("kto", rows.slice(0, 17))).toThrow(/of 17 rows the last step.*Take another/);
    expect(check("kto", rows, {}, 1)).toThrow(/one held-out row/);
    expect(check("kto", rows, { batchSize: 1, gradientAccumulationSteps: 2 }, 2)).not.toThrow();
  });

  it("a list with too many replies of one rank", () => {
    const ranks = [...new Array<number>(17).fill(0), 1];
    const long: ListExample = { ...lists[0]!, ranks };
    expect(check("plackett-luce", [long])).toThrow(/given:1: 17 replies share a rank.*at most 16.*lipo/);
    expect(check("lipo", [long])).not.toThrow();
  });
});
