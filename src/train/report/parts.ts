/** @file The report's building blocks: sections, figures with their reading and their table, tables that scroll. */
import { Html, html } from "./html.ts";

export interface Section {
  /** Of the heading, for links. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

export function section({ id, title, body }: Section): Html {
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${body}
</section>
`;
}

export type Cell = Html | string | number;

/** A column: its heading, and whether it holds numbers (set to the right). */
export interface Column {
  readonly name: string;
  readonly numeric?: boolean;
}

/** The names that end in # are numbers. */
export function columns(...names: readonly string[]): Column[] {
  return names.map((name) => (name.endsWith("#") ? { name: name.slice(0, -1), numeric: true } : { name }));
}

/** The first cell of a row is its heading. The frame scrolls by keyboard too, so that the page never scrolls sideways. */
export function table(label: string, heads: readonly Column[], rows: readonly (readonly Cell[])[]): Html {
  const kind = (i: number) => new Html(heads[i]?.numeric ? ' class="number"' : "");
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table>
<thead><tr>${heads.map((head, i) => html`<th scope="col"${kind(i)}>${head.name}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr>${row.map((cell, i) =>
        i === 0 ? html`<th scope="row"${kind(i)}>${cell}</th>` : html`<td${kind(i)}>${cell}</td>`,
      )}</tr>
`,
  )}</tbody>
</table></div>`;
}

export function details(summary: Cell, body: Html, isOpen = false): Html {
  return html`<details${isOpen && new Html(" open")}><summary>${summary}</summary>
${body}
</details>`;
}

export interface Figure {
  readonly title: string;
  /** What its colours and lines stand for: [class of the swatch, words]. */
  readonly legend?: readonly (readonly [string, string])[];
  readonly svg: Html;
  /** How to read it, and what it says here. */
  readonly reading: readonly Cell[];
  /** The numbers it was drawn from. */
  readonly table: Html;
}

export function figure({ title, legend = [], svg, reading, table: numbers }: Figure): Html {
  return html`<figure>
<h3>${title}</h3>
${
  legend.length > 0 &&
  html`<p class="legend">${legend.map(([swatch, words]) => html`<span><i class="swatch ${swatch}"></i>${words}</span> `)}</p>
`
}${svg}
<figcaption>${reading.map((sentence) => html`<p>${sentence}</p>`)}</figcaption>
${details(`The numbers: ${title}`, numbers)}
</figure>
`;
}

/** A list of what there is; nothing where there is nothing. */
export function list(items: readonly Cell[], className = ""): Html {
  return items.length === 0
    ? html``
    : html`<ul class="${className}">${items.map((item) => html`<li>${item}</li>`)}</ul>`;
}
