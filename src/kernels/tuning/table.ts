/** @file A table of tuned choices: which variant of an operation is fastest for a weight's shape on one device. */
import type { TunedVariants } from "../../gpu/variants.ts";
import { dtypeBytes } from "../../tensor/tensor.ts";
import { sha256 } from "./hash.ts";

/** What a choice is made for; see `chooseVariant`. */
export interface TuningTarget {
  readonly operation: string;
  readonly rows: number;
  readonly cols: number;
  readonly dtype: string;
  readonly fewRows: boolean;
}

export interface TuningEntry extends TuningTarget {
  /** null: nothing beat what runs by default. */
  readonly variant: string | null;
}

/** A target in words: equal for equal targets only. */
export const targetName = ({ operation, rows, cols, dtype, fewRows }: TuningTarget): string =>
  `${operation} ${rows}x${cols} ${dtype}, ${fewRows ? "few" : "many"} rows`;

export class TuningTable implements TunedVariants {
  readonly #byOperation = new Map<string, TuningEntry[]>();

  private constructor(
    /** Of the choices alone; "default" where there are none. */
    readonly hash: string,
    /** Where the choices come from, in words. */
    readonly origin: string,
    readonly entries: readonly TuningEntry[],
  ) {
    for (const entry of entries.filter(({ variant }) => variant !== null)) {
      const some = this.#byOperation.get(entry.operation);
      if (some === undefined) this.#byOperation.set(entry.operation, [entry]);
      else some.push(entry);
    }
  }

  /** @param entries later ones replace earlier ones for the same target */
  static async of(entries: readonly TuningEntry[], origin: string): Promise<TuningTable> {
    const last = new Map(entries.map((entry) => [targetName(entry), entry]));
    const chosen = [...last].filter(([, { variant }]) => variant !== null);
    const lines = chosen.map(([name, { variant }]) => `${name}: ${variant}`).sort();
    const hash = lines.length === 0 ? "default" : (await sha256(lines.join("\n"))).slice(0, 16);
    // In one order of fields, whoever wrote them.
    const same = ({ operation, rows, cols, dtype, fewRows, variant }: TuningEntry) => ({
      ...{ operation, rows, cols, dtype, fewRows, variant },
    });
    return new TuningTable(hash, origin, [...last.values()].map(same));
  }

  /** Goes through an operation's few dozen entries: that makes no object, unlike a key. */
  find(operation: string, rows: number, cols: number, dtype: string, fewRows: boolean): string | undefined {
    const entries = this.#byOperation.get(operation);
    if (entries === undefined) return undefined;
    for (const entry of entries) {
      const same = entry.rows === rows && entry.cols === cols && entry.dtype === dtype;
      if (same && entry.fewRows === fewRows) return entry.variant ?? undefined;
    }
    return undefined;
  }
}

/** @returns undefined where it is none: what a file holds is not to be trusted */
export function parseEntry(value: unknown): TuningEntry | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { operation, rows, cols, dtype, fewRows, variant } = value as Record<string, unknown>;
  const known = typeof dtype === "string" && Object.hasOwn(dtypeBytes, dtype);
  if (typeof operation !== "string" || typeof rows !== "number" || typeof cols !== "number") return undefined;
  if (!known || typeof fewRows !== "boolean" || (typeof variant !== "string" && variant !== null))
    return undefined;
  return { operation, rows, cols, dtype, fewRows, variant };
}
