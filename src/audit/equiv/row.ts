/** @file What `rmtrain equiv` prints: rows of measured numbers with their bounds, and the verdict on them. */

/**
 * Kinds of evidence, never mixed. construction: equal because the code is one. independent: a second implementation,
 * which shares no code with the trainer, gives the same numbers. control: one thing is broken on purpose, and the
 * numbers must differ. optimum: the two objectives have the same minimiser.
 */
export const evidenceKinds = ["construction", "independent", "control", "optimum"] as const;
export type EvidenceKind = (typeof evidenceKinds)[number];

export interface EquivRow {
  readonly kind: EvidenceKind;
  /** What is said to be equal (in a control: would be equal if the comparison were blind). */
  readonly claim: string;
  /** The largest difference that was measured, in the claim's own measure. */
  readonly value: number;
  readonly bound: number;
  /** Whether value <= bound: what a claim must do and a control must not. */
  readonly pass: boolean;
  /** Further figures, for readers. */
  readonly detail?: string;
}

export function equivRow(
  kind: EvidenceKind,
  claim: string,
  value: number,
  bound: number,
  detail?: string,
): EquivRow {
  return { kind, claim, value, bound, pass: value <= bound, ...(detail === undefined ? {} : { detail }) };
}

/** Whether a row came out as it must: a claim within its bound, a control outside. NaN is never right. */
export function isAsItMust({ kind, value, bound }: EquivRow): boolean {
  return kind === "control" ? value > bound : value <= bound;
}

/** One sentence for each row that did not come out as it must; empty: the demonstration holds. */
export function failures(rows: readonly EquivRow[]): string[] {
  const silent = evidenceKinds.filter((kind) => !rows.some((row) => row.kind === kind));
  return [
    ...silent.map((kind) => `no evidence by ${kind} was given`),
    ...rows
      .filter((row) => !isAsItMust(row))
      .map(({ kind, claim, value, bound }) =>
        kind === "control"
          ? `the control "${claim}" came out equal (${value} within ${bound}): the comparison is blind to it`
          : `"${claim}" does not hold: ${value} is above ${bound}`,
      ),
  ];
}

/** Largest of some values, NaN if one is; 0 of none. */
export function largest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) most = value > most || Number.isNaN(value) ? value : most;
  return most;
}
