/** @file `score`'s stream: one result per record, in order, with everything kept, and what it warns of. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PairTally } from "../../src/audit/pair-tally.ts";
import { RewardModel } from "../../src/audit/reward-model.ts";
import { type ScoredLine, type ScoreStreamOptions, scoreStream } from "../../src/audit/score.ts";
import { ScoreReport } from "../../src/audit/score-report.ts";
import { pairAccuracy } from "../../src/data/null-baselines.ts";
import { ReadingLog } from "../../src/data/reading.ts";
import { parseScoreRecord } from "../../src/data/score-record.ts";
import { tinyModel } from "../model/tiny-model.ts";
import { goldenModel } from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";

const device = useGpu();

async function* records(lines: readonly unknown[]) {
  for (const [i, value] of lines.entries()) yield { record: parseScoreRecord(value, `data:${i + 1}`) };
}

async function score(model: RewardModel, lines: readonly unknown[], options: ScoreStreamOptions = {}) {
  const report = new ScoreReport(model);
  const windows: ScoredLine[][] = [];
  for await (const window of scoreStream(model, records(lines), report, options)) windows.push(window);
  return { lines: windows.flat(), windows, summary: report.summary(), warnings: report.warnings() };
}

const LINES = [
  { id: "a", input_ids: [5, 6, 7] },
  { prompt_ids: [5, 6], response_ids: [7] },
  { prompt_ids: [1, 2, 3], chosen_ids: [4], rejected_ids: [5, 9], margin: 0.5, id: 7 },
  { id: 0, input_ids: [8] },
  { chosen_ids: [4], rejected_ids: [4] },
];

describe("records of ids", () => {
  let model: RewardModel | undefined;
  const loaded = () => model ?? expect.fail("not loaded");
  beforeAll(async () => {
    model = await RewardModel.load(device(), goldenModel("llama"));
  });
  afterAll(() => model?.release());

  it("ids stay, fields stand in order, a pair has its margin and its label", async () => {
    const { lines, summary, warnings } = await score(loaded(), LINES);
    expect(lines.map((line) => Object.keys(line))).toEqual([
      ["id", "reward", "tokens"],
      ["reward", "tokens"],
      ["id", "reward_chosen", "reward_rejected", "margin", "margin_label"],
      ["id", "reward", "tokens"],
      ["reward_chosen", "reward_rejected", "margin"],
    ]);
    const [whole, joined, pair, , tie] = lines;
    expect(whole).toMatchObject({ id: "a", tokens: 3 });
    expect(joined).toEqual({ reward: whole && "reward" in whole ? whole.reward : NaN, tokens: 3 });
    if (pair === undefined || !("margin" in pair)) expect.fail("no pair");
    expect(pair.margin).toBe(pair.reward_chosen - pair.reward_rejected);
    expect(pair).toMatchObject({ id: 7, margin_label: 0.5 });
    expect(tie).toMatchObject({ margin: 0 });
    expect(summary).toMatchObject({ lines: 5, tokens: 3 + 3 + 4 + 5 + 1 + 1 + 1, pairs: { n: 2, ties: 1 } });
    expect(warnings).toEqual([]);
  });

  it("a list has one reward for each reply, the one that the reply alone has", async () => {
    const replies = [[4], [5, 9], [6]];
    const list = { id: "l", prompt_ids: [1, 2, 3], responses_ids: replies, rank: null };
    const alone = replies.map((response_ids) => ({ prompt_ids: [1, 2, 3], response_ids }));
    const { lines, summary } = await score(loaded(), [list, ...alone], { perToken: true });
    expect(lines[0]).toEqual({ id: "l", replies: lines.slice(1) });
    expect(summary).toMatchObject({ lines: 4, pairs: null });
  });

  it("a line written and parsed back holds the same bits", async () => {
    const { lines } = await score(loaded(), LINES, { perToken: true });
    expect(JSON.parse(JSON.stringify(lines))).toEqual(lines);
    for (const line of lines) if ("reward" in line) expect(Math.fround(line.reward)).toBe(line.reward);
  });

  it("per token: the last value is the reward, ids are the sequence's", async () => {
    const { lines } = await score(loaded(), LINES, { perToken: true });
    const plain = (await score(loaded(), LINES)).lines;
    for (const [i, line] of lines.entries()) {
      expect(line).toMatchObject(plain[i] ?? {});
      if ("reward" in line) {
        expect(line.rewards?.at(-1)).toBe(line.reward);
        expect(line.rewards?.length).toBe(line.tokens);
      } else if ("margin" in line) {
        expect(line.rewards_chosen?.at(-1)).toBe(line.reward_chosen);
        expect(line.rewards_rejected?.at(-1)).toBe(line.reward_rejected);
      }
    }
    expect(lines[1]).toMatchObject({ token_ids: [5, 6, 7] });
    expect(lines[2]).toMatchObject({ token_ids_chosen: [1, 2, 3, 4], token_ids_rejected: [1, 2, 3, 5, 9] });
  });

  it("windows and batches of any size give the same lines", async () => {
    const { lines } = await score(loaded(), LINES);
    for (const window of [1, 2, 5]) {
      const other = await score(loaded(), LINES, { window, batchTokens: window });
      expect(other.lines).toEqual(lines);
      expect(other.windows.length).toBe(Math.ceil(LINES.length / window));
    }
    expect((await score(loaded(), [])).lines).toEqual([]);
  });

  it("the windows before a bad line are given out; the error names the line", async () => {
    const seen: ScoredLine[] = [];
    const stream = scoreStream(
      loaded(),
      records([...LINES.slice(0, 2), { input_ids: [999] }]),
      new ScoreReport(loaded()),
      {
        window: 2,
      },
    );
    const all = async () => {
      for await (const window of stream) seen.push(...window);
    };
    await expect(all()).rejects.toThrow(/^data:3: token id 999 is outside/);
    expect(seen.length).toBe(2);
  });

  it("lines before a bad one are given out, although they share its window", async () => {
    const seen: ScoredLine[] = [];
    const stream = scoreStream(
      loaded(),
      records([...LINES, { input_ids: [999] }, ...LINES]),
      new ScoreReport(loaded()),
    );
    const reading = async () => {
      for await (const window of stream) seen.push(...window);
    };
    await expect(reading()).rejects.toThrow(/^data:6: token id 999 is outside/);
    expect(seen).toEqual((await score(loaded(), LINES)).lines);
  });

  it("bad lines that are skipped: an error in their place, with the id; the others' rewards as they were", async () => {
    async function* mixed() {
      for await (const line of records(LINES)) yield line;
      yield { bad: { where: "data:6", problem: "not valid JSON", value: undefined } };
      yield { record: parseScoreRecord({ id: "x", input_ids: [999] }, "data:7") };
      for await (const line of records(LINES)) yield line;
    }
    const log = new ReadingLog();
    const report = new ScoreReport(loaded());
    const lines: ScoredLine[] = [];
    for await (const window of scoreStream(loaded(), mixed(), report, { skipBadLines: true, log, window: 4 }))
      lines.push(...window);
    const plain = (await score(loaded(), LINES)).lines;
    expect(lines).toEqual([
      ...plain,
      { error: "data:6: not valid JSON" },
      { id: "x", error: expect.stringMatching(/^data:7: token id 999 is outside/) },
      ...plain,
    ]);
    expect(report.summary()).toMatchObject({ lines: 12, bad_lines: 2, pairs: { n: 4 } });
    expect(log.bad).toBe(1); // the reader counts its own
  });

  it("no line is good: an error at the end, although bad lines are skipped", async () => {
    const lines = [{ input_ids: [999] }, { input_ids: [] }];
    await expect(score(loaded(), lines, { skipBadLines: true })).rejects.toThrow(
      /^No line could be scored; the first: data:1: token id 999/,
    );
    expect((await score(loaded(), [], { skipBadLines: true })).lines).toEqual([]);
  });

  it("longer than the positions: a rope model scores it and says how many", async () => {
    const long = { input_ids: new Array<number>(129).fill(4) };
    const { lines, warnings, summary } = await score(loaded(), [long, LINES[0], long]);
    expect(lines[0]).toMatchObject({ tokens: 129 });
    expect(warnings).toEqual([
      expect.stringMatching(/^2 sequences are longer \(to 129 tokens\) than the 128 positions/),
    ]);
    expect(summary.beyond_positions).toBe(2);
  });

  it("sequences that end in the pad id: read as Hugging Face reads them, with a count", async () => {
    const { lines, warnings } = await score(loaded(), [{ input_ids: [5, 6, 0] }, { input_ids: [5, 6] }]);
    expect(lines[0]).toEqual({ ...lines[1], tokens: 3 });
    expect(warnings).toEqual([
      expect.stringMatching(/^1 sequences end in the pad token 0: .* before their last/),
    ]);
  });

  it("--truncate cuts to --max-length, or to the positions, and counts", async () => {
    const ids = Array.from({ length: 140 }, (_, i) => 3 + (i % 50));
    for (const [side, cut] of [
      ["left", ids.slice(-6)],
      ["right", ids.slice(0, 6)],
    ] as const) {
      const { lines, warnings } = await score(loaded(), [{ input_ids: ids }], {
        truncate: side,
        maxLength: 6,
        perToken: true,
      });
      expect(lines[0]).toMatchObject({ tokens: 6, token_ids: cut });
      expect(warnings).toEqual(["1 sequences were cut by --truncate."]);
      const whole = await score(loaded(), [{ input_ids: ids }], { truncate: side });
      expect(whole.lines[0]).toMatchObject({ tokens: 128 });
    }
    await expect(score(loaded(), LINES, { maxLength: 6 })).rejects.toThrow(/--max-length needs --truncate/);
  });
});

it("learned positions: too long is an error that names the line, unless it is cut", async () => {
  using model = await RewardModel.load(device(), await tinyModel({ family: "gpt2" }));
  const lines = [{ input_ids: [1] }, { input_ids: new Array<number>(49).fill(4) }];
  await expect(score(model, lines)).rejects.toThrow(
    /^data:2: 49 tokens, .*learned positions for 48.*--truncate/,
  );
  const { lines: out } = await score(model, lines, { truncate: "left" });
  expect(out[1]).toMatchObject({ tokens: 48 });
  await expect(score(model, lines, { truncate: "left", maxLength: 49 })).rejects.toThrow(/--max-length 49/);
});

it("rewards that are not finite are counted and written as null", async () => {
  using model = await RewardModel.load(device(), await tinyModel({ family: "llama" }));
  model.gpu.write(model.head.buffer, 0, new Float32Array(model.head.stride).fill(Number.NaN));
  const { lines, warnings, summary } = await score(model, [{ input_ids: [1, 2] }]);
  expect(JSON.stringify(lines[0])).toBe('{"reward":null,"tokens":2}');
  expect(warnings).toEqual([expect.stringMatching(/^1 rewards are NaN or infinite/)]);
  expect(summary.not_finite).toBe(1);
});

it("the tally of pairs one by one is the accuracy of all of them", () => {
  const reply = fc.array(fc.nat(9), { minLength: 1, maxLength: 4 });
  const pair = fc.record({
    chosen: fc.integer({ min: -2, max: 2 }),
    rejected: fc.integer({ min: -2, max: 2 }),
    w: reply,
    l: reply,
    label: fc.constantFrom(1, 1, 0.7, 0.5, 0.2),
  });
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 20 }), (pairs) => {
      const tally = new PairTally();
      for (const { chosen, rejected, w, l, label } of pairs)
        tally.add({ kind: "ids", prompt: [], replies: [w, l] }, chosen, rejected, label);
      const { accuracy, n, ties, low, high } = pairAccuracy(
        pairs.map((p) => p.chosen),
        pairs.map((p) => p.rejected),
        pairs.map((p) => p.label),
      );
      const preferred = pairs
        .filter((p) => p.label !== 0.5)
        .map(({ w, l, label }) => (label > 0.5 ? [w.length, l.length] : [l.length, w.length]));
      const longer = preferred.reduce((sum, [a = 0, b = 0]) => sum + (a > b ? 1 : a === b ? 0.5 : 0), 0) / n;
      const summary = tally.summary();
      if (summary === undefined) {
        expect(n).toBe(0);
        return;
      }
      expect(summary).toMatchObject({ n, accuracy, ties, interval_95: [low, high], always_longer: longer });
      expect(summary.always_shorter).toBeCloseTo(1 - longer, 12);
      expect(summary.mean_margin).toBeCloseTo(
        pairs.reduce((sum, p) => sum + p.chosen - p.rejected, 0) / pairs.length,
        12,
      );
    }),
  );
  expect(new PairTally().summary()).toBeUndefined();
});
