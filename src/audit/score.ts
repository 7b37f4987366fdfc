/**
 * @file Scoring a stream of records: every line gives one result, in the same order. Lines are collected in windows
 * while the window before is computed; a window's lines go through the model longest first, in full batches.
 */
import type { Content, RecordContent } from "../data/content.ts";
import { windowTokens } from "../data/pack.ts";
import type { ReadingLog } from "../data/reading.ts";
import type { BadScoreRecord, ScoreLine, ScoreRecord } from "../data/score-record.ts";
import type { TokenisedContent } from "../data/tokenise.ts";
import { InputError } from "../errors.ts";
import type { Rendered } from "../model/chat/chat-reader.ts";
import { defaultBatchTokens } from "../train/run-batches.ts";
import { type ScoredLine, scoredLine, unscoredLine } from "./score-line.ts";
import type { ScoreReport } from "./score-report.ts";
import type { Scorer } from "./scorer.ts";
import { windows } from "./windows.ts";

export type { ScoredLine, ScoredList, ScoredPair, ScoredText, UnscoredLine } from "./score-line.ts";

export interface ScoreStreamOptions {
  /** Adds the reward of every prefix, and the ids. */
  readonly perToken?: boolean | undefined;
  /** Cuts sequences longer than `maxLength`; without it none is cut. */
  readonly truncate?: "left" | "right" | undefined;
  /** Tokens; default: the model's positions. Goes with `truncate` only, since no line is ever dropped. */
  readonly maxLength?: number | undefined;
  readonly batchTokens?: number | undefined;
  /** Most lines that are computed, and given out, together. Default 16,384; the tokens of 8 batches close a window, too. */
  readonly window?: number | undefined;
  /** A line that can't be tokenised gives an error in its place. Without it, the first one ends the stream. */
  readonly skipBadLines?: boolean | undefined;
  /** Is told of those lines. */
  readonly log?: ReadingLog | undefined;
}

/** Windows end with a batch that isn't full: enough batches that it counts little, few enough that lines take little memory. */
const batchesPerWindow = 8;
const mostLines = 16_384;
/** Milliseconds after which lines that came through a pipe are computed without waiting for more. */
const patience = 50;

/** A line on its way to the model, or why it isn't. */
type Prepared =
  | { readonly record: ScoreRecord<Content>; readonly item: TokenisedContent; readonly tokens: number }
  | { readonly bad: BadScoreRecord; readonly tokens: number };

/**
 * Rewards of lines as they come, a window at a time.
 * @throws InputError naming the line that cannot be scored; the lines before it have been yielded
 */
export async function* scoreStream(
  model: Scorer,
  lines: AsyncIterable<ScoreLine>,
  report: ScoreReport,
  options: ScoreStreamOptions = {},
): AsyncGenerator<ScoredLine[]> {
  const { batchTokens = defaultBatchTokens, perToken = false } = options;
  const size = {
    items: options.window ?? mostLines,
    weight: windowTokens(batchesPerWindow, batchTokens),
    patience,
  };
  for await (const window of windows(prepare(model, lines, options), (line) => line.tokens, size)) {
    const items = window.flatMap((line) => ("item" in line ? [line.item] : []));
    const rewards = (await model.scoreItems(items, { batchTokens, perToken })).values();
    yield window.map((line): ScoredLine => {
      if ("bad" in line) {
        report.addBad();
        return unscoredLine(line.bad);
      }
      const scored = rewards.next().value ?? [];
      report.add(line.record, line.item.truncated, scored);
      return scoredLine(line.record, scored);
    });
  }
}

/** Lines whose conversations are rendered together. */
const renderedTogether = 64;

/** Tokenises lines as they come. @throws InputError at a bad one, unless bad lines are skipped */
async function* prepare(
  model: Scorer,
  lines: AsyncIterable<ScoreLine>,
  options: ScoreStreamOptions,
): AsyncGenerator<Prepared> {
  const limit = truncation(model, options);
  let good = 0;
  let first: BadScoreRecord | undefined;
  for await (const group of windows(lines, () => 0, { items: renderedTogether, weight: 1, patience })) {
    const records = group.flatMap((line) => ("bad" in line ? [] : [line.record]));
    const rendered = (await model.chats.renderEach(records)).values();
    for (const line of group) {
      const prepared =
        "bad" in line
          ? { ...line, tokens: 0 }
          : prepareRecord(model, line.record, rendered.next().value, limit, options);
      if ("bad" in prepared) first ??= prepared.bad;
      else good++;
      yield prepared;
    }
  }
  if (good === 0 && first !== undefined)
    throw new InputError(`No line could be scored; the first: ${first.where}: ${first.problem}`);
}

function prepareRecord(
  model: Scorer,
  { where, id }: ScoreRecord<RecordContent>,
  rendered: Rendered<ScoreRecord<RecordContent>> | InputError | undefined,
  limit: ReturnType<typeof truncation>,
  { skipBadLines = false, log }: ScoreStreamOptions,
): Prepared {
  try {
    if (rendered === undefined) throw new Error("Rendering gives a result for each record");
    if (rendered instanceof InputError) throw rendered;
    const item = model.tokenise(rendered.content, where, limit);
    const tokens = item.sequences.reduce((sum, ids) => sum + ids.length, 0);
    return { record: rendered, item, tokens };
  } catch (error) {
    if (!(error instanceof InputError) || !skipBadLines) throw error;
    const problem = error.message.slice(`${where}: `.length);
    log?.skipped({ where, problem });
    return { bad: { where, problem, ...(id === undefined ? {} : { id }) }, tokens: 0 };
  }
}

/** @throws InputError for a limit that the model cannot take */
function truncation({ config }: Scorer, { truncate, maxLength }: ScoreStreamOptions) {
  if (truncate === undefined) {
    if (maxLength === undefined) return {};
    throw new InputError("--max-length needs --truncate left or right: score never drops a line");
  }
  if (config.learnedPositions && maxLength !== undefined && maxLength > config.maxPositions) {
    throw new InputError(
      `--max-length ${maxLength}: the model has learned positions for ${config.maxPositions} tokens`,
    );
  }
  return { maxLength: maxLength ?? config.maxPositions, overlong: truncate };
}
