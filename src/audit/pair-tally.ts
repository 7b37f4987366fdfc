/** @file Accuracy over a stream of scored pairs, beside what a rule that only looks at length would reach. */
import type { Content } from "../data/content.ts";
import { preferredSide } from "../data/label.ts";
import { lengthBaselines, wilson } from "../data/null-baselines.ts";

export interface PairSummary {
  /** Pairs that have a right answer: all but those with label 0.5. */
  readonly n: number;
  /** Share of them with the preferred reply's reward strictly above; ties are wrong. */
  readonly accuracy: number;
  /** Wilson's 95 % interval of the accuracy. */
  readonly interval_95: readonly [low: number, high: number];
  readonly ties: number;
  /** mean(chosen - rejected), of all pairs */
  readonly mean_margin: number;
  /** Accuracy of "the longer reply is better"; equal lengths count half. */
  readonly always_longer: number;
  readonly always_shorter: number;
}

/** Counts pairs one by one, so that a stream of any length takes no memory. */
export class PairTally {
  #all = 0;
  #n = 0;
  #correct = 0;
  #ties = 0;
  #margins = 0;
  #longer = 0;

  /** @param label probability that the chosen reply is the better one */
  add(content: Content, chosen: number, rejected: number, label = 1): void {
    this.#all++;
    this.#margins += chosen - rejected;
    const side = preferredSide(label);
    if (side === 0) return;
    this.#n++;
    if (side * (chosen - rejected) > 0) this.#correct++;
    if (chosen === rejected) this.#ties++;
    this.#longer += lengthBaselines([content], [label]).longer;
  }

  /** Undefined where there were no pairs with a right answer. */
  summary(): PairSummary | undefined {
    const n = this.#n;
    if (n === 0) return undefined;
    const { low, high } = wilson(this.#correct, n);
    return {
      n,
      accuracy: this.#correct / n,
      interval_95: [low, high],
      ties: this.#ties,
      mean_margin: this.#margins / this.#all,
      always_longer: this.#longer / n,
      always_shorter: 1 - this.#longer / n,
    };
  }
}
