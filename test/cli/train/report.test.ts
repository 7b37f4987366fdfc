/** @file What a training run shows: lines where there is no terminal, bars where there is one, and the summary. */
import { Writable } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { summary, TerminalReporter } from "../../../src/cli/train/report.ts";
import type { PreferenceRecord } from "../../../src/data/preference.ts";
import { evaluate } from "../../../src/train/evaluate.ts";
import { pairSet } from "../../../src/train/example-sets.ts";
import { evalLine } from "../../../src/train/metrics.ts";
import type { TrainResult } from "../../../src/train/train.ts";

/** What a stream of that kind was sent. */
function fakeStream(isTTY: boolean) {
  let text = "";
  const stream = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  Object.assign(stream, { isTTY, columns: 120 });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text };
}

const metrics = { loss: 0.5, accuracy: 0.75, margin: 1.25, min_reward: -2, mean_reward: 0, max_reward: 2 };
const line = (step: number) => ({
  ...metrics,
  step,
  epoch: step / 10,
  learning_rate: 0.01,
  grad_norm: 1,
  num_tokens: 10 * step,
});

function report(reporter: TerminalReporter): void {
  reporter.note("Device: one");
  for (const done of [1, 2, 3]) reporter.features(done, 3, 100 * done);
  for (const step of [10, 20, 30]) {
    reporter.trained(line(step), 30);
    reporter.evaluated(evalLine(step, step / 10, metrics));
  }
  reporter.stop();
}

it("without a terminal: plain lines, of each phase its end", () => {
  const { stream, text } = fakeStream(false);
  report(new TerminalReporter(stream));
  const lines = text().trimEnd().split("\n");
  expect(lines[0]).toBe("Device: one");
  expect(lines[1]).toMatch(/^features 3\/3 records, \d+ tokens\/s, 0 s left$/);
  expect(lines.slice(2)).toEqual([
    "step 10 held out: loss 0.5000 accuracy 0.750",
    "step 20 held out: loss 0.5000 accuracy 0.750",
    expect.stringMatching(
      /^step 30\/30 loss 0\.5000 accuracy 0\.750 margin 1\.250 \d+ tokens\/s lr 1\.00e-2, 0 s left$/,
    ),
    "step 30 held out: loss 0.5000 accuracy 0.750",
  ]);
  expect(text()).not.toContain("\x1b");
  expect(text()).not.toContain("\r");
});

it("with a terminal: a bar with the phase, tokens/s, loss, accuracy, margin and the time left", () => {
  const { stream, text } = fakeStream(true);
  report(new TerminalReporter(stream));
  expect(text()).toMatch(/Device: one\n/);
  expect(text()).toMatch(/features .*%.*\| .*left/);
  expect(text()).toMatch(
    /training .*%.*\| loss 0\.5000 accuracy 0\.750 margin 1\.250 \d+ tokens\/s \| .* left/,
  );
  expect(text()).not.toContain("step 10 held out");
  expect(text()).not.toContain("\x1b[?25l");
});

it("tokens/s count from the phase's beginning, not from its first report", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const { stream, text } = fakeStream(false);
    const reporter = new TerminalReporter(stream);
    reporter.begin("features", 1);
    vi.advanceTimersByTime(2000);
    reporter.features(1, 1, 100);
    reporter.begin("training", 10);
    vi.advanceTimersByTime(3000);
    reporter.note("what is told meanwhile");
    vi.advanceTimersByTime(1000);
    reporter.trained(line(10), 10);
    expect(text()).toMatch(/^features 1\/1 records, 50 tokens\/s/);
    expect(text()).toMatch(/^what is told meanwhile\nstep 10\/10 .* 25 tokens\/s/m);
  } finally {
    vi.useRealTimers();
  }
});

const record = (i: number): PreferenceRecord => ({
  where: `data.jsonl:${i + 1}`,
  content:
    i === 1
      ? { kind: "ids", prompt: [1, 2], replies: [[3], [4]] }
      : { kind: "text", prompt: `Prompt ${i}?\n`, replies: [`good ${"long ".repeat(i % 3)}`, "bad answer"] },
  extra: { kind: i < 8 ? "polite" : "garbled" },
});

function result(held: number): TrainResult {
  const records = Array.from({ length: held }, (_, i) => record(i));
  const pairs = records.map((r) => ({
    record: r,
    item: {
      sequences: [],
      truncated: [],
      dropped: false,
      identical: false,
      whole: { lengths: [], identical: false },
    },
    margin: 0,
    label: 1,
    replyStarts: [],
  }));
  const chosen = Float32Array.from(records, (_, i) => i / 4);
  const rejected = Float32Array.from(records, (_, i) => (i === 4 ? 1 : i % 4 === 3 ? i : -i - 0.5));
  const leftOut = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ where: `f:${i}`, why: "too-long" as const, lengths: [9, 9] }));
  const counts = { records: 50, dropped: 2, truncated: [], identical: 0, tokens: 1 };
  return {
    out: "runs/mine",
    kind: "reward",
    reference: undefined,
    trainable: "head",
    model: "base",
    report: held === 0 ? undefined : "runs/mine/report.html",
    dataset: {
      train: pairSet([], { leftOut: leftOut(2), counts }),
      eval: pairSet(pairs, { leftOut: leftOut(1), counts: { ...counts, dropped: 1 } }),
      splitBy: "",
    },
    findings: [],
    savedStep: 40,
    last: undefined,
    lastStep: 60,
    totalSteps: 60,
    resumedStep: undefined,
    evaluation: held === 0 ? undefined : evaluate(pairs, { chosen, rejected }, 0, "kind"),
    rewards: records.map((r, i) => ({ record: r, chosen: chosen[i]!, rejected: rejected[i]! })),
    counts: { computed: 1000, padded: 2500 },
    cached: 0,
    featureSeconds: 2,
    trainSeconds: 0.5,
    peakBytes: 3 * 2 ** 20,
  };
}

describe("summary", () => {
  const text = summary(result(12), "kind");
  const lines = text.split("\n");

  it("what was saved, what it took, what was left out, what to type next", () => {
    expect(lines[1]).toBe("Saved runs/mine (head of step 40 of 60)");
    expect(text).toContain("1000 tokens in 2.0 s (500 tokens/s); a padded batch would have computed 2500");
    expect(text).toMatch(/0\.5 s; at most 3(\.0)? MiB on the device/);
    expect(text).toMatch(/^ {2}report {5}runs\/mine\/report\.html$/m);
    expect(text).toContain("2 training and 1 held-out pairs");
    expect(text).toMatch(/Next:\n {2}npx rmtrain trace --model runs\/mine "I love you"\n$/);
  });

  it("accuracy with its interval, ties, and the length baselines beside it", () => {
    // Right: all but the tie (4) and the wrong ones (3, 7, 11).
    expect(text).toMatch(/^Held out: 12 pairs$/m);
    const best = { dir: "runs/mine/last", step: 5, evaluation: undefined, rewards: [] };
    expect(summary({ ...result(12), last: best }, "kind")).toMatch(
      /^Held out: 12 pairs, on which the step was chosen/m,
    );
    expect(text).toMatch(/accuracy {3}0\.667 {2}95 % interval \[0\.391, 0\.862\], 1 ties/);
    expect(text).toMatch(/baselines {2}always longer 0\.\d{3}, always shorter 0\.\d{3}/);
  });

  it("a row for each kind, each with its interval", () => {
    const at = lines.indexOf("By kind:");
    expect(lines[at + 1]).toMatch(/^ {2}garbled {2}0\.750 {2}\[0\.\d{3}, 0\.\d{3}\] {2}4 pairs$/);
    expect(lines[at + 2]).toMatch(/^ {2}polite {3}0\.625 {2}\[0\.\d{3}, 0\.\d{3}\] {2}8 pairs$/);
  });

  it("five pairs with their rewards, spread over the set, each in three lines", () => {
    const prompts = lines.filter((l) => l.startsWith("  prompt"));
    expect(prompts).toEqual([0, 2, 4, 6, 8].map((i) => `  prompt    Prompt ${i}?`));
    const at = lines.indexOf("  prompt    Prompt 2?");
    expect(lines.slice(at + 1, at + 3)).toEqual([
      "     0.500  chosen    good long long",
      "    -2.500  rejected  bad answer",
    ]);
    expect(summary(result(3), "kind")).toContain("  prompt    ids 1 2");
    expect(summary(result(3), "kind").match(/^ {2}prompt/gm)?.length).toBe(3);
  });

  it("no evaluation: neither accuracy nor pairs", () => {
    const without = summary(result(0), "kind");
    expect(without).not.toMatch(/Held out|prompt|NaN/);
    expect(without).not.toContain("report");
    expect(without).toContain("Next:");
  });
});
