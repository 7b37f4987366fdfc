/** @file The report of whole runs on tiny models: its numbers are the run's, it is rewritten at each evaluation, and stays readable. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { expect, it } from "vitest";
import { calibrate } from "../../../src/train/calibration.ts";
import { decimal, percent } from "../../../src/train/report/html.ts";
import { train } from "../../../src/train/train.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { idPairs, jsonl, metricsOf, run } from "../records.ts";

const gpu = useGpu();
const records = (count: number) => idPairs(count).map((r, i) => ({ ...r, kind: i % 3 ? "odd" : "even" }));
const setup = async () => ({
  model: await tinyModel({ family: "llama", architecture: "bare" }),
  data: jsonl(records(30)),
  evalData: jsonl(records(12), "held.jsonl"),
  batchSize: 8,
  epochs: 3,
  logEvery: 2,
});

function open(file: string) {
  const html = readFileSync(file, "utf8");
  expect(html.startsWith("<!doctype html>") && html.endsWith("</html>\n")).toBe(true);
  const { document } = parseHTML(html);
  const text = (selector: string) => document.querySelector(selector)?.textContent ?? "";
  /** Cells of a table, by the label of its frame. */
  const table = (label: string): string[][] =>
    [...document.querySelectorAll(`[aria-label="${label}"] tbody tr`)].map((row) =>
      [...row.querySelectorAll("th, td")].map((cell) => cell.textContent ?? ""),
    );
  return { html, text, table };
}

it("numbers are those of the TrainResult and of metrics.jsonl", async () => {
  const result = await run(gpu(), await setup());
  expect(result.report).toBe(join(result.out, "report.html"));
  const { text, table } = open(result.report ?? "");
  const { accuracy, metrics, baselines, groups } = result.evaluation ?? expect.fail("no evaluation");

  expect(text(".headline strong")).toBe(percent(accuracy.accuracy));
  expect(text("#verdict ~ .headline")).toContain(`of ${accuracy.n} held-out pairs`);
  const rules = table("Accuracy of model and rules").map(([, share]) => share);
  expect(rules).toEqual([accuracy.accuracy, baselines.longer, baselines.shorter].map((a) => percent(a)));
  expect(text("#verdict ~ div")).toContain(`Loss. ${metrics.loss.toFixed(4)}`);
  expect(text(".status")).toBe(
    `Finished after 12 steps. The saved model, which all numbers are of, is that of step ${result.savedStep}.`,
  );

  expect(table("By “kind”").map(([name, n, share]) => [name, n, share])).toEqual(
    groups.map((g) => [g.group, `${g.n}`, percent(g.accuracy)]),
  );
  const evals = metricsOf(result.out).filter((line) => "eval_loss" in line);
  expect(table("Evaluation lines").map(([step, , loss]) => [step, loss])).toEqual(
    evals.map((line) => [`${line.step}`, decimal(line.eval_loss ?? Number.NaN, 4)]),
  );

  const margins = result.rewards.map(({ chosen, rejected }) => chosen - rejected);
  const least = Math.min(...margins);
  expect(table("Quantiles of margins")[0]?.[1]).toBe(decimal(least));
  const worst = result.rewards[margins.indexOf(least)];
  const shown = text("#pairs ~ details .pair");
  expect(shown).toContain(worst?.record.where);
  expect(shown).toContain(`chosen: reward ${decimal(worst?.chosen ?? Number.NaN)}`);
  expect(shown).toContain(`rejected: reward ${decimal(worst?.rejected ?? Number.NaN)}`);
  const { brier, nll } = calibrate(margins);
  expect(table("Calibration in numbers").map((row) => row[1])).toEqual(
    expect.arrayContaining([decimal(brier, 4), decimal(nll, 4)]),
  );

  const counts = table("Counts of pairs");
  expect(counts.find(([name]) => name === "pairs used")?.slice(1)).toEqual([
    `${result.dataset.train.examples.length}`,
    `${result.dataset.eval?.examples.length}`,
  ]);
});

it("rewritten at each evaluation; readable in between, and it says how far the run is", async () => {
  const out = join(temporaryFolder(), "out");
  const file = join(out, "report.html");
  const seen: string[] = [];
  await train(
    gpu(),
    { ...(await setup()), out },
    {
      note: (text) => expect(text).not.toMatch(/report/),
      evaluated: () => {
        if (!existsSync(file)) return void seen.push("none");
        const { text, table } = open(file);
        seen.push(`${/step \d+ of \d+/.exec(text(".status"))}, ${table("Evaluation lines").length}`);
      },
    },
  );
  expect(seen).toEqual(["none", "step 4 of 12, 1", "step 8 of 12, 2"]);
});

it("a run that stops leaves a report that says so", async () => {
  const out = join(temporaryFolder(), "out");
  const stopped = train(
    gpu(),
    { ...(await setup()), out },
    {
      note() {},
      trained: ({ step }) => {
        if (step === 6) throw new Error("The disk is <full>.");
      },
    },
  );
  await expect(stopped).rejects.toThrow("full");
  const { text, table } = open(join(out, "report.html"));
  expect(text(".status")).toBe("Stopped at step 4 of 12: The disk is <full>.");
  expect(text(".headline")).toMatch(/% of 12 held-out pairs/);
  expect(table("Training lines").map(([step]) => step)).toEqual(["2", "4"]);
});

it("a resumed run's report has the lines of before, and ends as an undivided run's does", async () => {
  const options = { ...(await setup()), saveEvery: 4 };
  const [whole, out] = [join(temporaryFolder(), "out"), join(temporaryFolder(), "out")];
  await train(gpu(), { ...options, out: whole });
  const controller = new AbortController();
  const saved = (step: number) => void (step === 8 && controller.abort());
  const cut = train(gpu(), { ...options, out }, { note() {}, saved }, { signal: controller.signal });
  await expect(cut).rejects.toThrow("interrupted");
  expect(open(join(out, "report.html")).text(".status")).toMatch(
    /^Stopped at step 8 of 12: Training was interrupted after step 8 of 12; the state is in .*checkpoint-8/,
  );
  await train(gpu(), { ...options, out }, undefined, { resume: out });
  const [found, expected] = [whole, out].map((folder) => open(join(folder, "report.html")));
  for (const label of [
    "Training lines",
    "Evaluation lines",
    "Quantiles of rewards",
    "Calibration in numbers",
  ])
    expect(found?.table(label), label).toEqual(expected?.table(label));
  expect(found?.text(".status")).toBe(expected?.text(".status"));
});

it("without evaluation: curves, and no word of rewards that nobody computed", async () => {
  const { evalData: _, ...rest } = await setup();
  const { out } = await run(gpu(), { ...rest, evalSplit: 0 });
  const { text, html } = open(join(out, "report.html"));
  expect(text(".headline")).toBe("No pairs were held out.");
  expect(text("#rewards ~ p")).toBe("No pairs were held out, so there are no rewards to show.");
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
});

it("--no-report: none", async () => {
  const { out, report } = await run(gpu(), { ...(await setup()), report: false });
  expect(report).toBeUndefined();
  expect(existsSync(join(out, "report.html"))).toBe(false);
});
