/** @file Small numbers for equal texts or ids, so that pairs are compared exactly and without joining long strings. */
import type { Content } from "../content.ts";

export class Interner {
  readonly #texts = new Map<string, number>();
  readonly #ids = new Map<string, number>();

  /** The same number for equal values only; a text is never equal to ids. */
  number(value: string | readonly number[]): number {
    const next = this.#texts.size + this.#ids.size;
    if (typeof value === "string") return numberIn(this.#texts, value, next);
    return numberIn(this.#ids, value.join(), next);
  }

  /** The prompt, then each reply. */
  all({ prompt, replies }: Content): readonly number[] {
    return [prompt, ...replies].map((value) => this.number(value));
  }

  /** [prompt, chosen, rejected]. */
  pair({ prompt, replies }: Content): readonly [number, number, number] {
    return [this.number(prompt), this.number(replies[0] ?? ""), this.number(replies[1] ?? "")];
  }
}

function numberIn(numbers: Map<string, number>, key: string, next: number): number {
  const found = numbers.get(key);
  if (found === undefined) numbers.set(key, next);
  return found ?? next;
}
