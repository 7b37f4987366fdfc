/** @file The pairs on which the model is most wrong and most right, with their texts. */
import { basename } from "node:path";
import { replyLength } from "../../../data/null-baselines.ts";
import { sigmoid } from "../../calibration.ts";
import type { Pair } from "../../dataset.ts";
import type { HeldOut } from "../held-out.ts";
import { decimal, type Html, html, percent, plural, spellHidden } from "../html.ts";
import { details, type Section } from "../parts.ts";
import type { Results } from "../results.ts";
import { shorten } from "./accuracy-by.ts";

/** Pairs shown at each end, and most characters of a prompt or reply. */
const SHOWN = 8;
const MOST_CHARACTERS = 2000;

export function pairsSection({ pairs, decided }: HeldOut, results: Results): Section {
  const { margins } = results;
  const order = Uint32Array.from(decided).sort((a, b) => margins[a]! - margins[b]! || a - b);
  const wrong = [...order.subarray(0, SHOWN)].filter((i) => margins[i]! <= 0);
  const right = [...order.subarray(-SHOWN)].reverse().filter((i) => margins[i]! > 0);
  const show = (indices: readonly number[]) =>
    indices.map((i, place) => pairDetails(pairs[i]!, i, results, place === 0));
  return {
    id: "pairs",
    title: "Pairs, most wrong and most right",
    body: html`<p>Read these before trusting any number above. What the model is most wrong about shows whether the fault lies with it or with the labels; what it is most right about shows what it has learned to look at. Texts are shown as the data hold them.</p>
<h3>Most wrong</h3>
${wrong.length === 0 ? html`<p>No pair is ranked wrong.</p>` : html`<p>The rejected reply got the higher reward by the widest margin.</p>${show(wrong)}`}
<h3>Most right</h3>
${right.length === 0 ? html`<p>No pair is ranked right.</p>` : html`<p>The chosen reply got the higher reward by the widest margin.</p>${show(right)}`}
`,
  };
}

function pairDetails(
  { record, margin, label }: Pair,
  i: number,
  { rewards, margins }: Results,
  isOpen: boolean,
): Html {
  const { prompt, replies } = record.content;
  const [chosen = "", rejected = ""] = replies;
  const [w, l] = [rewards.chosen[i]!, rewards.rejected[i]!];
  const summary = html`<span class="where">${shorten(basename(record.where), 60)}</span> <span>margin ${decimal(margins[i]!)}</span> <bdi class="excerpt">${excerpt(prompt.length > 0 ? prompt : chosen)}</bdi>`;
  const reply = (name: "chosen" | "rejected", reward: number, content: string | readonly number[]) =>
    html`<div class="reply ${name}"><p class="label">${name}: reward ${decimal(reward)}</p>${shownText(content)}</div>`;
  return details(
    summary,
    html`<div class="pair">
<p><span class="where">${record.where}</span><br>The model gives “the chosen reply is better” ${percent(sigmoid(w - l))}.${label !== 1 && ` The data give it ${percent(label)}.`}${margin !== 0 && ` The record asks for a margin of ${decimal(margin)}.`}</p>
${prompt.length > 0 && html`<div class="prompt"><p class="label">prompt</p>${shownText(prompt, "end")}</div>`}
<div class="replies">${reply("chosen", w, chosen)}${reply("rejected", l, rejected)}</div>
</div>`,
    isOpen,
  );
}

/** Text as it is, bounded; of a prompt the end is what the reply answers. Its direction is its own and touches nothing else. */
function shownText(content: string | readonly number[], keep: "start" | "end" = "start"): Html {
  if (typeof content !== "string") return html`<pre>${ids(content)}</pre>`;
  if (content.length === 0) return html`<p class="empty">(empty)</p>`;
  const characters = Array.from(bounded(spellHidden(content), keep));
  if (characters.length <= MOST_CHARACTERS) return html`<pre dir="auto">${characters.join("")}</pre>`;
  const more = plural(Math.max(replyLength(content) - MOST_CHARACTERS, 1), "more character");
  return keep === "end"
    ? html`<p class="cut">… ${more} before</p><pre dir="auto">${characters.slice(-MOST_CHARACTERS).join("")}</pre>`
    : html`<pre dir="auto">${characters.slice(0, MOST_CHARACTERS).join("")}</pre><p class="cut">… ${more}</p>`;
}

/** So much that no more than MOST_CHARACTERS can be wanted of it, whatever its characters are made of. */
function bounded(text: string, keep: "start" | "end"): string {
  return keep === "end" ? text.slice(-4 * MOST_CHARACTERS) : text.slice(0, 4 * MOST_CHARACTERS);
}

function ids(content: readonly number[]): string {
  const shown = content.slice(0, MOST_CHARACTERS / 8).join(" ");
  return content.length === 0
    ? "(no ids)"
    : `ids ${shown}${content.length > MOST_CHARACTERS / 8 ? " …" : ""}`;
}

/** The last words of a prompt, on one line. */
function excerpt(content: string | readonly number[]): string {
  if (typeof content !== "string") return ids(content.slice(0, 12));
  const line = Array.from(content.slice(-400).replace(/\s+/g, " ").trim());
  return line.length > 90 ? `…${line.slice(-89).join("")}` : line.join("");
}
