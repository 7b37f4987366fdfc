/** @file Accuracy over a stream of scored pairs, beside what a rule that only looks at length would reach. */
import type { Content } from "../data/content.ts";
import { lengthBaselines, wilson } from "../data/null-baselines.ts";

export interface PairSummary {
  readonly n: number;
  /** Share with the chosen reward strictly above; ties are wrong. */
  readonly accuracy: number;
  /** Wilson's 95 % interval of the accuracy. */
  readonly interval_95: readonly [low: number, high: number];
  readonly ties: number;
  /** mean(chosen - rejected) */
  readonly mean_margin: number;
  /** Accuracy of "the longer reply is better"; equal lengths count half. */
  readonly always_longer: number;
  readonly always_shorter: number;
}

/** Counts pairs one by one, so that a stream of any length takes no memory. */
export class PairTally {
  #n = 0;
  #correct = 0;
  #ties = 0;
  #margins = 0;
  #longer = 0;

  add(content: Content, chosen: number, rejected: number): void {
    this.#n++;
    if (chosen > rejected) this.#correct++;
    if (chosen === rejected) this.#ties++;
    this.#margins += chosen - rejected;
    this.#longer += lengthBaselines([content]).longer;
  }

  /** Undefined where there were no pairs. */
  summary(): PairSummary | undefined {
    const n = this.#n;
    if (n === 0) return undefined;
    const { low, high } = wilson(this.#correct, n);
    return {
      n,
      accuracy: this.#correct / n,
      interval_95: [low, high],
      ties: this.#ties,
      mean_margin: this.#margins / n,
      always_longer: this.#longer / n,
      always_shorter: 1 - this.#longer / n,
    };
  }
}
