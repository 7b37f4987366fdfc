/** @file Prompts that are trained on and held out: the evaluation would measure memory. */
import type { Content } from "../content.ts";
import { promptKey } from "../prompt-key.ts";
import { findingOf } from "./finding.ts";
import { type CheckedSet, type CheckInput, examplesIn, examplesOf } from "./input.ts";
import { Interner } from "./interner.ts";

/** Held-out examples whose prompt is also trained on; where there is no prompt, whose replies are (as `splitKey`). */
export function trainEvalOverlap({ sets }: CheckInput) {
  const [train, held] = sets;
  if (train === undefined || held === undefined) return [];
  const interner = new Interner();
  const contents = (set: CheckedSet) => examplesIn(set).map(({ record }) => record.content);
  const trained = new Set(contents(train).map((content) => sharedKey(content, interner)));
  const whole = new Set(contents(train).map((content) => wholeKey(content, interner)));
  const shared = examplesIn(held).filter(({ record }) => trained.has(sharedKey(record.content, interner)));
  const same = shared.filter(({ record }) => whole.has(wholeKey(record.content, interner))).length;
  const rows = shared.map(({ record }) => record.where);
  const message = `${rows.length} of ${examplesOf(held, held.examples.length)} with a prompt that is also trained on, ${same} with the replies too: the evaluation is too kind; split by prompt (--eval-split does)`;
  return findingOf("train-eval-overlap", "warning", rows, message);
}

function sharedKey(content: Content, interner: Interner): string {
  const prompt = promptKey(content);
  return prompt === "" ? wholeKey(content, interner) : `p${interner.number(prompt)}`;
}

/** Prompt and all replies, whichever is preferred. */
function wholeKey(content: Content, interner: Interner): string {
  const [prompt, ...replies] = interner.all(content);
  return [prompt, ...replies.sort((a, b) => a - b)].join();
}
