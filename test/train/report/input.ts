/** @file Input of a report with texts that are out to break it. */
import type { Pair } from "../../../src/train/dataset.ts";
import { pairMetrics } from "../../../src/train/evaluate.ts";
import { evalLine } from "../../../src/train/metrics.ts";
import { describeHeldOut } from "../../../src/train/report/held-out.ts";
import type { ReportInput } from "../../../src/train/report/input.ts";
import type { RunFile } from "../../../src/train/run-file.ts";
import { normals } from "../../support/numbers.ts";

/** What a reply may hold; a page that ran the script would have `planted` set. */
export const hostile = [
  `<script>window.planted = true</script><img src="http://example.com/x.png" onerror="window.planted = true">`,
  `"'><svg onload="window.planted = true"></details></pre></main>&lt;b&gt;`,
  `left \u202e\u2066 right to left \u2069 end, nul \u0000 bell \u0007 hidden \u{e0041}`,
  "x".repeat(30_000),
  "שלום עולם, مرحبا بالعالم",
  "",
  "two\n\nlines\r\nand a\ttab 👩‍👩‍👧",
  "half \ud83d of a pair",
] as const;

const counts = { records: 0, dropped: 1, truncated: [2, 3], identical: 0, tokens: 1234, files: {} };

export const run: RunFile = {
  format: "rmtrain-run/1",
  options: { model: "models/<b>", data: "a.jsonl", eval_data: null, center_rewards_coefficient: 0, lr: 0.01 },
  base: { files: { "config.json": "ab" } },
  data: {
    train: { ...counts, records: 50, files: { "a.jsonl": "cd" } },
    eval: { ...counts, records: 60 },
    split_by: "0.1 of the prompts",
  },
  versions: { rmtrain: "0.0.0" },
  adapter: "none",
  variants: "default",
};

/** Pair i has the texts i and i + 1 of the hostile ones, and fields of both kinds. */
export function hostilePairs(count: number): Pair[] {
  return Array.from({ length: count }, (_, i) => ({
    record: {
      where: `a.jsonl:${i + 1}`,
      content: {
        kind: "text" as const,
        prompt: hostile[(i + 3) % hostile.length]!,
        replies: [hostile[i % hostile.length]!, hostile[(i + 1) % hostile.length]!],
      },
      extra: { kind: hostile[i % 3]!, id: `${i}`, "<b>field</b>": i % 2 },
    },
    item: {
      sequences: [],
      whole: { lengths: [], identical: false },
      truncated: [],
      dropped: false,
      identical: false,
    },
    margin: i % 7 === 0 ? 0.5 : 0,
    label: 1,
    replyStarts: [],
  }));
}

/** A finished run on so many held-out pairs, the chosen replies a little ahead. */
export function reportInput(pairs: readonly Pair[], changes: Partial<ReportInput> = {}): ReportInput {
  const chosen = normals(1, pairs.length).map((r) => r + 0.5);
  const rejected = normals(2, pairs.length);
  const metrics = pairMetrics({ chosen, rejected }, pairs, 0);
  const steps = Array.from({ length: 40 }, (_, i) => i + 1);
  return {
    out: "runs/it's <mine>",
    run,
    recipe: { addEos: true, eosTokenId: 2, readPosition: "last" },
    status: { state: "finished", savedStep: 30, steps: 40 },
    trainLines: steps.map((step) => ({
      ...metrics,
      step,
      epoch: step / 10,
      loss: 0.69 - step / 500,
      learning_rate: 0.01,
      grad_norm: 1,
      num_tokens: 10 * step,
    })),
    evalLines: steps.filter((s) => s % 10 === 0).map((step) => evalLine(step, step / 10, metrics)),
    heldOut: pairs.length === 0 ? undefined : describeHeldOut(pairs, "kind"),
    rewards: pairs.length === 0 ? undefined : { step: 30, pairs: { chosen, rejected } },
    findings: [
      {
        check: "planted",
        severity: "warning",
        message: "2 pairs hold <script>",
        count: 2,
        examples: ["<a>.jsonl:3"],
      },
    ],
    cost: {
      tokens: { computed: 10, padded: 20 },
      featureSeconds: 1,
      trainSeconds: 2,
      peakBytes: 3e6,
    },
    ...changes,
  };
}
