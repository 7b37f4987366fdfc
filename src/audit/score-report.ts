/** @file What is worth saying about a run of `score` beside its lines: counts, warnings, accuracy on pairs. */
import type { ScoreRecord } from "../data/score-record.ts";
import { endsIn } from "../data/tokenise.ts";
import { type PairSummary, PairTally } from "./pair-tally.ts";
import type { Scorer, SequenceReward } from "./scorer.ts";

/** The JSON of `--summary`. */
export interface ScoreSummary {
  readonly lines: number;
  /** Lines that --skip-bad-lines left unscored. */
  readonly bad_lines: number;
  /** Tokens of all sequences; a shared prompt counts for each. */
  readonly tokens: number;
  /** Tokens that the device computed, and those that padded batches would have computed. */
  readonly computed_tokens: number;
  readonly padded_tokens: number;
  /** Sequences that --truncate cut. */
  readonly truncated: number;
  /** Sequences longer than max_position_embeddings, scored all the same. */
  readonly beyond_positions: number;
  /** Sequences that the two rules, the last token and the rightmost id that isn't pad, read at different tokens. */
  readonly ambiguous_position: number;
  /** Rewards that are NaN or infinite; JSON writes them as null. */
  readonly not_finite: number;
  /** Plain texts that don't end as the conversations did that the model was trained on. */
  readonly missing_end_of_turn: number;
  readonly pairs: PairSummary | null;
}

export class ScoreReport {
  /** Results so far, bad lines included. */
  lines = 0;
  #bad = 0;
  #tokens = 0;
  #truncated = 0;
  #beyond = 0;
  #longest = 0;
  #ambiguous = 0;
  #notFinite = 0;
  #openTurns = 0;
  readonly #pairs = new PairTally();

  constructor(readonly model: Scorer) {}

  /** @param truncated per sequence, whether it was cut */
  add(record: ScoreRecord, truncated: readonly boolean[], rewards: readonly SequenceReward[]): void {
    this.lines++;
    const { recipe } = this.model;
    const isPlain = record.content.kind === "text" && record.content.chat === undefined && !recipe.addEos;
    for (const { ids, reward } of rewards) {
      if (!Number.isFinite(reward)) this.#notFinite++;
      this.#tokens += ids.length;
      this.#longest = Math.max(this.#longest, ids.length);
      if (ids.length > this.model.config.maxPositions) this.#beyond++;
      if (this.model.differsFromLast(ids)) this.#ambiguous++;
      if (isPlain && !endsIn(ids, recipe.chat?.endOfTurn ?? [])) this.#openTurns++;
    }
    this.#truncated += truncated.filter(Boolean).length;
    const [chosen, rejected] = rewards;
    if (record.pair && chosen !== undefined && rejected !== undefined)
      this.#pairs.add(record.content, chosen.reward, rejected.reward, record.label);
  }

  /** A line that has an error in the place of its reward. */
  addBad(): void {
    this.lines++;
    this.#bad++;
  }

  summary(): ScoreSummary {
    const { counts } = this.model;
    return {
      lines: this.lines,
      bad_lines: this.#bad,
      tokens: this.#tokens,
      computed_tokens: counts.computed,
      padded_tokens: counts.padded,
      truncated: this.#truncated,
      beyond_positions: this.#beyond,
      ambiguous_position: this.#ambiguous,
      not_finite: this.#notFinite,
      missing_end_of_turn: this.#openTurns,
      pairs: this.#pairs.summary() ?? null,
    };
  }

  /** One sentence for each thing that happened and that the user may not expect, with its count. */
  warnings(): string[] {
    const { config, recipe } = this.model;
    const warnings: string[] = [];
    if (this.#openTurns > 0) {
      const end = recipe.chat?.endOfTurn ?? [];
      warnings.push(
        `${this.#openTurns} texts do not end in the end of turn (ids ${end.join(", ")}: ${JSON.stringify(this.model.tokenizer?.decode(end))}) that this checkpoint was trained to read at the end: give conversations ({messages}), or texts that are rendered to their end.`,
      );
    }
    if (this.#truncated > 0) warnings.push(`${this.#truncated} sequences were cut by --truncate.`);
    if (this.#beyond > 0) {
      warnings.push(
        `${this.#beyond} sequences are longer (to ${this.#longest} tokens) than the ${config.maxPositions} positions ` +
          "that the model was made for; their rewards are those of unfamiliar input. --truncate left or right cuts them.",
      );
    }
    if (this.#ambiguous > 0) {
      const [read, other] =
        recipe.readPosition === "last"
          ? ["at their last token, as this checkpoint was trained", "Hugging Face's rule would read earlier"]
          : ["before their last token, as Hugging Face's rule does", "the last token would give another"];
      warnings.push(
        `${this.#ambiguous} sequences end in the pad token ${config.padTokenId}: their rewards are read ${read}; ${other}.`,
      );
    }
    if (this.#notFinite > 0)
      warnings.push(`${this.#notFinite} rewards are NaN or infinite; they are written as null.`);
    return warnings;
  }
}
