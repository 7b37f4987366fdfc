/** @file The page as text: nothing from the data becomes markup, its size is bounded, and each state says what it is. */
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { renderReport } from "../../../src/train/report/page.ts";
import { hostilePairs, reportInput } from "./input.ts";

const open = (html: string) => parseHTML(html).document;

describe("text from the data", () => {
  const html = renderReport(reportInput(hostilePairs(60)));
  const document = open(html);

  it("is never markup: no script, no image, no handler, no address to load from", () => {
    expect(document.querySelectorAll("script, img, iframe, object, link[rel=stylesheet]").length).toBe(0);
    const attributes = [...document.querySelectorAll("*")].flatMap((element) => [...element.attributes]);
    expect(attributes.filter(({ name }) => name.startsWith("on"))).toEqual([]);
    const addresses = attributes.filter(({ name }) => ["src", "href", "action"].includes(name));
    for (const { value } of addresses) expect(value).toMatch(/^(#[a-z-]+|data:,)$/);
    expect(html).toContain("&lt;script&gt;window.planted = true&lt;/script&gt;");
    expect(html.match(/<\/main>/g)?.length).toBe(1);
  });

  it("shows what could not be seen, or would reorder the page, as code points", () => {
    expect(html).not.toMatch(/(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u);
    for (const code of ["202E", "2066", "0000", "0007", "E0041", "D83D"])
      expect(html).toContain(`⟨U+${code}⟩`);
    expect(html).toContain("שלום עולם");
    expect(html).toContain("👩‍👩‍👧");
  });

  it("is cut where it is long, and says by how much", () => {
    expect(html).toContain("28,000 more characters");
    expect(html).not.toMatch(/x{2001}/);
  });

  it("names of files, fields and findings are text too", () => {
    expect(html).toContain("&lt;b&gt;field&lt;/b&gt;");
    expect(html).toContain("runs/it&#39;s &lt;mine&gt;");
    expect(document.querySelector(".findings")?.textContent).toContain(
      "warning 2 pairs hold <script> plantedfor example <a>.jsonl:3",
    );
    expect(document.querySelector(".commands")?.textContent).toContain(
      "--model 'runs/it'\\''s <mine>' \"I love you\"",
    );
  });
});

it("is well formed for readers: one h1, headings in order, every figure with a name, a reading and its numbers", () => {
  const document = open(renderReport(reportInput(hostilePairs(60))));
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((h) => Number(h.tagName.slice(1)));
  expect(levels.filter((level) => level === 1)).toEqual([1]);
  levels.forEach((level, i) => void expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1));
  const figures = [...document.querySelectorAll("figure")];
  expect(figures.length).toBeGreaterThanOrEqual(8);
  for (const figure of figures) {
    expect(figure.querySelector("svg")?.getAttribute("role")).toBe("img");
    expect(figure.querySelector("svg")?.getAttribute("aria-label")?.length).toBeGreaterThan(5);
    expect(figure.querySelector("figcaption p")?.textContent?.length).toBeGreaterThan(40);
    expect(figure.querySelectorAll("details table tbody tr").length).toBeGreaterThan(0);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const link of document.querySelectorAll("a"))
    expect(ids).toContain(link.getAttribute("href")?.slice(1));
});

it("100,000 pairs and 100,000 lines make a page of well under a megabyte", () => {
  // The last ones are short: counting 750 million characters says nothing about the page.
  const some = hostilePairs(1000);
  const pairs = Array.from({ length: 100_000 }, (_, i) => some[i < 1000 ? i : 4 + (i % 3)]!);
  const input = reportInput(pairs);
  const lines = Array.from({ length: 100_000 }, (_, i) => ({ ...input.trainLines[0]!, step: i + 1 }));
  const evals = Array.from({ length: 20_000 }, (_, i) => ({ ...input.evalLines[0]!, step: 5 * i + 5 }));
  const html = renderReport({ ...input, trainLines: lines, evalLines: evals });
  expect(Buffer.byteLength(html)).toBeLessThan(600_000);
  expect(html).toContain("100,000 held-out pairs");
});

describe("each state", () => {
  it("running: the step, the time, and that it can be stopped from outside", () => {
    const at = new Date("2026-01-02T03:04:05.678Z");
    const html = renderReport(
      reportInput(hostilePairs(9), { status: { state: "running", step: 1200, totalSteps: 4000, at } }),
    );
    expect(html).toContain("Running: step 1,200 of 4,000, written at 2026-01-02 03:04:05 UTC.");
    expect(html).toContain("--resume");
  });

  it.each([
    ["nothing held out", { heldOut: undefined, rewards: undefined }, "No pairs were held out"],
    ["no evaluation yet", { rewards: undefined }, "Not evaluated yet."],
    ["nothing logged yet", { trainLines: [], evalLines: [] }, "No step has been logged yet."],
    ["nothing found", { findings: [] }, "found nothing to report"],
  ])("%s", (_, changes, text) => {
    const html = renderReport(reportInput(hostilePairs(9), changes));
    expect(html).toContain(text);
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });

  it.each([
    ["one pair", 1, 0],
    ["two pairs with equal rewards", 2, Number.NaN],
  ])("%s", (_, count, level) => {
    const input = reportInput(hostilePairs(count));
    const pairs = {
      chosen: new Float32Array(count).fill(1),
      rejected: new Float32Array(count).fill(Number.isNaN(level) ? 1 : level),
    };
    const html = renderReport({ ...input, rewards: { step: 1, pairs } });
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
    expect(html).toContain(`of ${count} held-out pair`);
  });

  it("labels of one half are no pairs to rank; below it the rejected reply is the better one", () => {
    const labels = [1, 0.5, 0.2, 0.5];
    const pairs = hostilePairs(4).map((pair, i) => ({ ...pair, label: labels[i]! }));
    const input = reportInput(pairs);
    const rewards = { chosen: Float32Array.of(1, 9, 1, 0), rejected: Float32Array.of(0, 0, 2, 9) };
    const html = renderReport({ ...input, rewards: { step: 1, pairs: rewards } });
    expect(open(html).querySelector(".headline")?.textContent).toMatch(/^100\.0\s% of 2 held-out pairs/);
    expect(html).toContain("No pair is ranked wrong.");
    const all = renderReport({
      ...reportInput(pairs.map((pair) => ({ ...pair, label: 0.5 }))),
      rewards: { step: 1, pairs: rewards },
    });
    expect(all).not.toMatch(/NaN|undefined|Infinity/);
  });
});
