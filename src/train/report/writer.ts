/** @file Writes report.html while a run goes on and when it ends. */
import { join } from "node:path";
import type { Finding } from "../../data/checks/finding.ts";
import { writeFileAtomic } from "../../model/atomic-file.ts";
import type { InputRecipe } from "../../model/recipe.ts";
import type { Pair } from "../dataset.ts";
import type { PairLossOf, PairRewards } from "../evaluate.ts";
import { metricsFile } from "../metrics.ts";
import type { RunFile } from "../run-file.ts";
import { describeHeldOut, type HeldOut } from "./held-out.ts";
import type { Cost, ReportInput, Status } from "./input.ts";
import { MetricsReader } from "./metrics-reader.ts";

export const reportName = "report.html";

export interface ReportSource {
  /** The run's folder, where metrics.jsonl is read and report.html written. */
  readonly out: string;
  readonly run: RunFile;
  /** What the reported loss is of. */
  readonly objective: PairLossOf;
  readonly recipe: InputRecipe;
  readonly findings: readonly Finding[];
  /** The held-out pairs; none: the run has no evaluation. */
  readonly heldOut: readonly Pair[];
  /** The field that is broken down first. */
  readonly groupBy: string;
  readonly totalSteps: number;
  /** Told of a report that could not be written; training goes on. */
  readonly note: (text: string) => void;
}

/** Milliseconds of the processor that reports may take in any run, and the share of the run's time beyond that. */
const FREE = 2000;
const SHARE = 1 / 20;
/** Milliseconds between reports where no evaluation comes. */
const QUIET = 60_000;

/**
 * The report is rewritten at each evaluation, and each minute where none comes. A run whose evaluations follow each
 * other faster than reports can be made leaves some out: until the end, reports take at most two seconds and a twentieth
 * of the run's time. Libraries for plots are loaded when the first report is made.
 */
export class ReportWriter {
  readonly #metrics: MetricsReader;
  readonly #began = performance.now();
  #spent = 0;
  #written = performance.now();
  #heldOut: HeldOut | undefined;
  #rewards: ReportInput["rewards"];
  #step = 0;
  #isStanding = false;

  constructor(readonly source: ReportSource) {
    this.#metrics = new MetricsReader(join(source.out, metricsFile));
  }

  get file(): string {
    return join(this.source.out, reportName);
  }

  /** After a line of training metrics has been written. */
  async trained(step: number): Promise<void> {
    this.#step = step;
    if (performance.now() - this.#written >= QUIET) await this.#rewrite();
  }

  /** After an evaluation's line has been written. @param pairs rewards of the held-out pairs */
  async evaluated(step: number, pairs: PairRewards): Promise<void> {
    this.#step = step;
    this.#rewards = { step, pairs };
    await this.#rewrite();
  }

  /**
   * @param savedStep whose weights are the model in `out`
   * @param steps that were done
   * @param rewards of the held-out pairs under the saved weights; undefined where none are held out
   */
  async finished(
    savedStep: number,
    steps: number,
    rewards: PairRewards | undefined,
    cost: Cost,
  ): Promise<void> {
    this.#rewards = rewards && { step: savedStep, pairs: rewards };
    await this.#write({ state: "finished", savedStep, steps }, cost);
  }

  /** The run ends before its last step: a report that stands says so from now on. @param reason a sentence */
  async stopped(reason: string): Promise<void> {
    if (!this.#isStanding) return;
    const { totalSteps } = this.source;
    await this.#write({ state: "stopped", step: this.#step, totalSteps, reason });
  }

  async #rewrite(): Promise<void> {
    if (this.#spent > FREE + SHARE * (performance.now() - this.#began)) return;
    const { totalSteps } = this.source;
    await this.#write({ state: "running", step: this.#step, totalSteps, at: new Date() });
  }

  async #write(status: Status, cost?: Cost): Promise<void> {
    const began = process.cpuUsage();
    const { heldOut: pairs, groupBy, note, ...facts } = this.source;
    try {
      await this.#metrics.update();
      const { train: trainLines, evals: evalLines } = this.#metrics;
      this.#heldOut ??= pairs.length === 0 ? undefined : describeHeldOut(pairs, groupBy);
      const { renderReport } = await import("./page.ts");
      const page = renderReport({
        ...facts,
        status,
        trainLines,
        evalLines,
        heldOut: this.#heldOut,
        rewards: this.#rewards,
        cost,
      });
      await writeFileAtomic(this.file, page);
      this.#isStanding = true;
    } catch (error) {
      note(`${reportName} is not up to date: ${error instanceof Error ? error.message : error}`);
    }
    const { user, system } = process.cpuUsage(began);
    this.#spent += (user + system) / 1e3;
    this.#written = performance.now();
  }
}
