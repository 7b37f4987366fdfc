/** @file The report in headless Chromium: quiet, without network, usable by keyboard, narrow and dark. Skipped by name where there is none. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderReport } from "../../../src/train/report/page.ts";
import { findChromium, whichCommand } from "../../support/chromium.ts";
import { hostilePairs, reportInput } from "./input.ts";

const command = findChromium();
const work = mkdtempSync(join(tmpdir(), "rmtrain-report-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe.skipIf(command === undefined)("the report in Chromium (skipped where there is none)", () => {
  let browser: BrowserContext;
  let page: Page;
  const heard: string[] = [];
  const file = join(work, "report.html");
  const url = pathToFileURL(file).href;

  beforeAll(async () => {
    writeFileSync(file, renderReport(reportInput(hostilePairs(60))));
    const quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
    browser = await chromium.launchPersistentContext(join(work, "profile"), {
      executablePath: whichCommand(command ?? ""),
      headless: true,
      args: quiet,
      viewport: { width: 1200, height: 900 },
    });
    page = await browser.newPage();
    page.on("console", (message) => heard.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => heard.push(`error: ${error.message}`));
    page.on("request", (request) => {
      if (request.url() !== url) heard.push(`request: ${request.url()}`);
    });
    await page.goto(url);
  });
  afterAll(() => browser?.close());

  it("no message on the console, nothing asked of any network, and planted scripts do not run", async () => {
    await page.waitForTimeout(200);
    expect(heard).toEqual([]);
    expect(await page.evaluate("window.planted")).toBeUndefined();
    expect(await page.title()).toMatch(/^Reward model it's <mine>: \d+\.\d\s%$/);
  });

  it.each([400, 1200])("%i px wide: nothing beyond the page's edge, all details open", async (width) => {
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    const letters = await page.evaluate(
      "Math.min(...[...document.querySelectorAll('figure svg')].map((s) => 13 * s.getBoundingClientRect().width / s.viewBox.baseVal.width))",
    );
    expect(letters).toBeGreaterThan(9);
    await page.reload();
    await page.setViewportSize({ width: 1200, height: 900 });
  });

  it("Tab reaches the skip link first, then every link, summary and frame that scrolls; focus can be seen", async () => {
    await page.reload();
    const wanted = await page.evaluate(
      "[...document.querySelectorAll('a[href], summary, [tabindex=\"0\"]')].filter((e) => e.checkVisibility()).length",
    );
    const seen: string[] = [];
    for (let i = 0; i < Number(wanted); i++) {
      await page.keyboard.press("Tab");
      const [what, outline] = (await page.evaluate(
        "[document.activeElement.outerHTML.slice(0, 200), getComputedStyle(document.activeElement).outlineStyle]",
      )) as [string, string];
      expect(outline, what).toBe("solid");
      seen.push(what);
    }
    expect(seen[0]).toContain('class="skip"');
    expect(seen.filter((what) => what.startsWith("<summary")).length).toBeGreaterThan(10);
    expect(seen.at(-1)).not.toMatch(/^<body/);
  });

  it("details open and close with Enter", async () => {
    await page.reload();
    const first = page.locator("summary").first();
    await first.focus();
    const state = () => page.evaluate("document.querySelector('summary').parentElement.open");
    expect(await state()).toBe(false);
    await page.keyboard.press("Enter");
    expect(await state()).toBe(true);
    await page.keyboard.press("Enter");
    expect(await state()).toBe(false);
  });

  it("light and dark are two sets of colours, in text and in drawings, each with enough contrast", async () => {
    const colours = async (colorScheme: "light" | "dark") => {
      await page.emulateMedia({ colorScheme });
      return (await page.evaluate(`(() => {
        const of = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
        return [of("section", "backgroundColor"), of("body", "color"), of("figcaption", "color"),
          of("summary", "color"), of(".error, .warning, .note", "color"),
          of("figure svg circle", "fill"), of(".reply.rejected .label", "color")];
      })()`)) as string[];
    };
    const [light, dark] = [await colours("light"), await colours("dark")];
    light.forEach((colour, i) => void expect(colour).not.toBe(dark[i]));
    for (const [ground = "", ...others] of [light, dark])
      for (const colour of others)
        expect(contrast(ground, colour), `${colour} on ${ground}`).toBeGreaterThan(4.5);
    await page.emulateMedia({ colorScheme: "light" });
  });
});

/** WCAG 2.2's contrast ratio of two colours "rgb(r, g, b)". */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map((value) => {
      const c = Number(value) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}
