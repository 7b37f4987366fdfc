/** @file All layouts of preference pairs, the particular ones before the general. */
import { ARGILLA, BRADLEY_TERRY, PROMPT_PAIRS, QUESTION } from "./axolotl.ts";
import { PROMPTED_CONVERSATIONS, ULTRAFEEDBACK, WHOLE_CONVERSATIONS } from "./conversations.ts";
import { type Fields, layoutsOf } from "./layout.ts";
import { ALPACA, MESSAGES_AND_REPLIES, PROMPT_AND_REPLIES, SHAREGPT } from "./llama-factory.ts";
import { ID_PAIR, OLD_TRL_ID_PAIR, STRING_PAIR } from "./plain.ts";

export const PAIRS = layoutsOf(
  [
    PROMPTED_CONVERSATIONS,
    WHOLE_CONVERSATIONS,
    ULTRAFEEDBACK,
    PROMPT_AND_REPLIES,
    SHAREGPT,
    MESSAGES_AND_REPLIES,
    ALPACA,
    BRADLEY_TERRY,
    QUESTION,
    PROMPT_PAIRS,
    ARGILLA,
    STRING_PAIR,
    ID_PAIR,
    OLD_TRL_ID_PAIR,
  ],
  "chosen and rejected, or chosen_ids and rejected_ids",
);

/** Whether a record is meant as a pair. */
export function isPair(record: Fields): boolean {
  return PAIRS.layouts.some((layout) => layout.matches(record));
}
