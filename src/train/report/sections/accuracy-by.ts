/** @file Accuracy by groups of pairs: by the difference in length, and by every field that has few values. */
import * as Plot from "@observablehq/plot";
import type { Accuracy } from "../../../data/null-baselines.ts";
import { equalMass } from "../../../data/quantiles.ts";
import { groupAccuracies } from "../../evaluate.ts";
import type { Field, HeldOut } from "../held-out.ts";
import { type Html, html, percent, percentRange, plural, spellHidden, whole } from "../html.ts";
import { columns, type Figure, figure, type Section, table } from "../parts.ts";
import { colours, plot } from "../plot.ts";
import type { Results } from "../results.ts";
import { percentDomain } from "./verdict.ts";

/** Groups of pairs by the difference in length. */
const LENGTH_GROUPS = 8;

export function lengthSection(heldOut: HeldOut, results: Results): Section {
  return {
    id: "length",
    title: "Does it follow length?",
    body: html`<div class="figures">${lengthFigure(heldOut, results)}</div>`,
  };
}

interface Group extends Accuracy {
  readonly name: string;
}

function lengthFigure(heldOut: HeldOut, results: Results): Html {
  const { lengthDifferences: differences, unit, decided } = heldOut;
  const order = Uint32Array.from(decided).sort((a, b) => differences[a]! - differences[b]!);
  const accuracyOf = (indices: Uint32Array) => {
    const group = new Map([["", Array.from(indices)]]);
    return groupAccuracies(group, results.rewards, heldOut.labels)[0]!;
  };
  const ascending = Float64Array.from(order, (i) => differences[i]!);
  const groups = equalMass(ascending, LENGTH_GROUPS).map(({ from, to }): Group => {
    const [least, most] = [ascending[from]!, ascending[to - 1]!];
    const name = least === most ? signed(least) : `${signed(least)} to ${signed(most)}`;
    return { name, ...accuracyOf(order.subarray(from, to)) };
  });
  const longer = accuracyOf(order.filter((i) => differences[i]! > 0));
  const shorter = accuracyOf(order.filter((i) => differences[i]! < 0));
  const picked = order.filter((i) => differences[i]! * results.margins[i]! > 0).length;
  const unequal = longer.n + shorter.n;
  return groupFigure({
    title: "Accuracy by how much longer the chosen reply is",
    axis: `${unit}, chosen − rejected`,
    groups,
    overall: results.accuracy.accuracy,
    reading: [
      `Pairs in up to ${LENGTH_GROUPS} groups of about equal size, from those whose chosen reply is much the shorter (top) to those where it is much the longer (bottom). A model that does not look at length has the same accuracy in all of them; one that likes long replies is wrong at the top and right at the bottom.`,
      unequal === 0
        ? "Here all pairs have replies of equal length."
        : `Where the chosen reply is the longer one the model is right in ${share(longer)}, where it is the shorter one in ${share(shorter)}. It prefers the longer reply in ${percent(picked / unequal)} of the ${plural(unequal, "pair")} of unequal length.`,
    ],
  });
}

const share = (a: Accuracy) =>
  a.n === 0 ? "none of 0 pairs" : `${percent(a.accuracy)} of ${plural(a.n, "pair")}`;
const signed = (value: number) => (value > 0 ? `+${whole(value)}` : value < 0 ? `−${whole(-value)}` : "0");

export function fieldsSection(heldOut: HeldOut, results: Results): Section {
  const { fields, otherFields } = heldOut;
  const none =
    "The records have no other field with a few values that repeat, so there is nothing to compare. Any field beside the pair (a source, a topic, an annotator) would be broken down here.";
  const others =
    otherFields.length > 0 &&
    html`<p>Not broken down, because they have only one value or very many: ${names(otherFields)}.</p>`;
  return {
    id: "fields",
    title: "Accuracy by the records’ fields",
    body: html`${fields.length === 0 ? html`<p>${none}</p>` : html`<div class="figures">${fields.map((field) => fieldFigure(field, heldOut, results))}</div>`}
${others}`,
  };
}

function names(fields: readonly string[]): Html[] {
  const shown = fields.slice(0, 20).map((name, i) => html`${i > 0 && ", "}<code>${shorten(name, 60)}</code>`);
  return fields.length > 20 ? [...shown, html` and ${fields.length - 20} more`] : shown;
}

function fieldFigure({ name, members }: Field, { labels }: HeldOut, results: Results): Html {
  const groups = groupAccuracies(members, results.rewards, labels).map(
    (g): Group => ({ ...g, name: g.group }),
  );
  const known = groups.reduce((sum, g) => sum + g.n, 0);
  const clear = groups.filter((g) => g.low > results.accuracy.accuracy || g.high < results.accuracy.accuracy);
  return groupFigure({
    title: `By “${shorten(name, 60)}”`,
    axis: shorten(name, 30),
    groups,
    overall: results.accuracy.accuracy,
    reading: [
      `Each value of the field with the accuracy on its pairs. An interval that the solid line doesn’t cross is a group that the model does clearly better or worse on; among ${groups.length} groups about one in twenty does so by chance.`,
      clear.length === 0
        ? `No group differs clearly from the ${percent(results.accuracy.accuracy)} overall.`
        : `Clearly away from the ${percent(results.accuracy.accuracy)} overall: ${clear.map((g) => `${shorten(g.name, 40)} (${percent(g.accuracy)} of ${plural(g.n, "pair")})`).join(", ")}.`,
      ...(known < results.accuracy.n
        ? [`${plural(results.accuracy.n - known, "pair")} don’t have the field.`]
        : []),
    ],
  });
}

interface GroupFigure extends Pick<Figure, "title" | "reading"> {
  /** What the groups are of. */
  readonly axis: string;
  readonly groups: readonly Group[];
  /** Accuracy of all pairs. */
  readonly overall: number;
}

function groupFigure({ title, axis, groups, overall, reading }: GroupFigure): Html {
  // Two values that begin alike must not become one row.
  const rows = groups.map((g, i) => ({ ...g, key: `${i}`, label: shorten(g.name, 22) }));
  const label = new Map(rows.map((row) => [row.key, row.label]));
  const longest = Math.max(...rows.map((row) => row.label.length));
  return figure({
    title,
    legend: [
      ["dot chosen", "accuracy, with 95 % interval"],
      ["line reference", "all pairs"],
      ["dashed reference", "guessing"],
    ],
    svg: plot(title, {
      height: 90 + 26 * rows.length,
      marginTop: 34,
      marginLeft: 24 + 7.5 * longest,
      x: { label: "pairs ranked right (%)", domain: percentDomain(rows), grid: true, percent: true },
      y: {
        label: axis,
        labelAnchor: "top",
        labelArrow: "none",
        domain: rows.map((row) => row.key),
        tickFormat: (key: string) => label.get(key) ?? "",
        tickSize: 0,
      },
      marks: [
        Plot.ruleX([0.5], { stroke: colours.reference, strokeDasharray: "4 3" }),
        Plot.ruleX([overall], { stroke: colours.reference }),
        Plot.link(rows, {
          x1: "low",
          x2: "high",
          y1: "key",
          y2: "key",
          stroke: colours.chosen,
          strokeWidth: 2,
        }),
        Plot.dot(rows, { x: "accuracy", y: "key", fill: colours.chosen, r: 5 }),
      ],
    }),
    reading,
    table: table(
      title,
      columns(axis, "pairs#", "accuracy#", "95 % interval#", "ties#"),
      groups.map((g) => [
        shorten(g.name, 200),
        whole(g.n),
        percent(g.accuracy),
        percentRange(g),
        whole(g.ties),
      ]),
    ),
  });
}

/** At most `most` characters, never half of one. */
export function shorten(text: string, most: number): string {
  const shown = spellHidden(text);
  const characters = Array.from(shown.slice(0, 2 * most + 2));
  return characters.length <= most ? shown : `${characters.slice(0, most - 1).join("")}…`;
}
