/**
 * @file Plots as inline SVG. Colours are names that the page's stylesheet gives values to, so that one drawing serves
 * light and dark.
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { Html, spellHidden } from "./html.ts";

export const colours = {
  chosen: "var(--chosen)",
  rejected: "var(--rejected)",
  train: "var(--faint)",
  right: "var(--chosen)",
  wrong: "var(--rejected)",
  reference: "var(--reference)",
} as const;

/** Small enough that its letters stay legible where a narrow page shrinks it. */
export const width = 480;

const { document } = parseHTML("<!doctype html><html><body></body></html>");

/**
 * @param label what the figure is, for those who hear it rather than see it; its numbers stand in the table beside it
 */
export function plot(label: string, options: Plot.PlotOptions): Html {
  const svg = Plot.plot({
    width,
    height: 300,
    marginLeft: 56,
    marginRight: 20,
    marginBottom: 44,
    style: { fontSize: "13px" },
    ...options,
    document,
  });
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", spellHidden(label));
  return new Html(svg.outerHTML);
}
