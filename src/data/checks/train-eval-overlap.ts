/** @file Prompts that are trained on and held out: the evaluation would measure memory. */
import type { Content } from "../content.ts";
import { promptKey } from "../prompt-key.ts";
import { findingOf, plural } from "./finding.ts";
import type { CheckInput } from "./input.ts";
import { Interner } from "./interner.ts";

/** Held-out pairs whose prompt is also trained on; where there is no prompt, whose two replies are (as `splitKey`). */
export function trainEvalOverlap({ sets }: CheckInput) {
  const [train, held] = sets;
  if (train === undefined || held === undefined) return [];
  const interner = new Interner();
  const trained = new Set(train.pairs.map(({ record }) => sharedKey(record.content, interner)));
  const whole = new Set(train.pairs.map(({ record }) => pairKey(record.content, interner)));
  const shared = held.pairs.filter(({ record }) => trained.has(sharedKey(record.content, interner)));
  const same = shared.filter(({ record }) => whole.has(pairKey(record.content, interner))).length;
  const rows = shared.map(({ record }) => record.where);
  const message = `${rows.length} of ${plural(held.pairs.length, "held-out pair")} with a prompt that is also trained on, ${same} with the replies too: the evaluation is too kind; split by prompt (--eval-split does)`;
  return findingOf("train-eval-overlap", "warning", rows, message);
}

function sharedKey(content: Content, interner: Interner): string {
  const prompt = promptKey(content);
  return prompt === "" ? pairKey(content, interner) : `p${interner.number(prompt)}`;
}

/** Prompt and both replies, whichever is preferred. */
function pairKey(content: Content, interner: Interner): string {
  const [prompt, a, b] = interner.pair(content);
  return [prompt, Math.min(a, b), Math.max(a, b)].join();
}
