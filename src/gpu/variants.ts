/**
 * @file Which variants of operations were asked for, and which a tuner found fastest, as plain names: what they mean,
 * src/kernels knows.
 */
import { InputError } from "../errors.ts";

/** Choices that measurements on this adapter led to. */
export interface TunedVariants {
  /** Names the table: equal for equal choices; "default" where there are none. */
  readonly hash: string;
  /** Where the choices come from, in words. */
  readonly origin: string;
  readonly entries: readonly { readonly operation: string; readonly variant: string | null }[];
  /** The variant for an operation on a weight of this shape, few rows of input or many; undefined: not measured. */
  find(operation: string, rows: number, cols: number, dtype: string, fewRows: boolean): string | undefined;
}

/** A variant runs because it is forced, else because it is tuned, else by default. */
export class VariantChoices {
  tuned: TunedVariants | undefined;
  readonly #forced: Map<string, string>;

  /** @param forced variant by operation */
  constructor(forced: Iterable<readonly [string, string]> = []) {
    this.#forced = new Map(forced);
  }

  get forced(): ReadonlyMap<string, string> {
    return this.#forced;
  }

  /** Names everything that isn't left to the defaults: results of equal ones are equal. "default" where all is. */
  get inUse(): string {
    const tuned =
      this.tuned === undefined || this.tuned.hash === "default" ? [] : [`table ${this.tuned.hash}`];
    const forced = [...this.#forced].map(([operation, variant]) => `${operation}=${variant}`);
    return [...tuned, ...forced.sort()].join(", ") || "default";
  }

  /** Forces a variant while `record` runs, which must not wait for anything: what is recorded later is as before. */
  forcing<T>(operation: string, variant: string, record: () => T): T {
    const before = this.#forced.get(operation);
    this.#forced.set(operation, variant);
    try {
      return record();
    } finally {
      if (before === undefined) this.#forced.delete(operation);
      else this.#forced.set(operation, before);
    }
  }
}

/** The environment variable that forces variants where `openGpu` isn't told: `linear=tile,attention=portable`. */
export const variantsVariable = "RMTRAIN_VARIANTS";

/** @throws InputError naming the variable and what it takes */
export function variantsFromEnvironment(): Map<string, string> {
  // A browser has no environment.
  const environment = typeof process === "undefined" ? undefined : process.env;
  return parseVariants(environment?.[variantsVariable] ?? "", variantsVariable);
}

/**
 * @param text `operation=variant,...`; nothing: no variant is forced
 * @param where what the user wrote it into
 */
export function parseVariants(text: string, where: string): Map<string, string> {
  const forced = new Map<string, string>();
  for (const part of text.split(",").filter((entry) => entry.trim() !== "")) {
    const [operation = "", variant = "", ...rest] = part.split("=").map((word) => word.trim());
    if (operation === "" || variant === "" || rest.length > 0) {
      throw new InputError(
        `${where}: "${part.trim()}" is no operation=variant; write them as in linear=tile,attention=portable`,
      );
    }
    if (forced.has(operation)) throw new InputError(`${where}: ${operation} is given twice`);
    forced.set(operation, variant);
  }
  return forced;
}
