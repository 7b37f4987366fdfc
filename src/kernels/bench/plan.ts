/**
 * @file In which order cases run, since a time budget may end the list: every kernel at the largest of its shapes that
 * is quick, then every kernel at the smallest, then at those between; shapes that take longer come last. Times are
 * estimates: what the ceilings allow, divided by the share of them that the kernel reached before, or, before its first
 * row, by what kernels often reach.
 */
import type { Ceilings } from "../ceilings.ts";
import type { BenchCase } from "./cases.ts";
import { boundOf, sampling } from "./measure.ts";

type Work = Omit<BenchCase, "prepare">;

/** Seconds of one run that are quick. */
const quick = 0.025;
/** Of a run, whatever its work: dispatch, submit, wait. */
const overhead = 2e-4;
/** The share of a ceiling that an unknown kernel is taken to reach, and no kernel to fall below. */
const usualShare = 0.2;
const leastShare = 0.005;
/** Bytes per second at which inputs are made. */
const fillRate = 1e9;

export class Estimates {
  readonly #shares = new Map<string, number>();

  constructor(readonly ceilings: Pick<Ceilings, "flopsPerSecond" | "bytesPerSecond">) {}

  /** A row of the kernel was measured. */
  learn(name: string, share: number): void {
    this.#shares.set(name, Math.max(share, leastShare));
  }

  /** Seconds of one run. */
  run(work: Work): number {
    const share = this.#shares.get(work.name) ?? usualShare;
    return boundOf(work, this.ceilings).seconds / share + overhead;
  }

  /** Seconds until the row stands: inputs, the first run, and all others. */
  row(work: Work): number {
    const run = this.run(work);
    const runs = Math.min(sampling.most, Math.max(sampling.fewest, sampling.seconds / run));
    return work.bytes / fillRate + (1 + runs) * run;
  }
}

/** The cases in the order in which they are worth measuring. */
export function priority<C extends Work>(cases: readonly C[], estimates: Estimates): C[] {
  const seconds = new Map(cases.map((work) => [work, estimates.run(work)]));
  const ascending = [...cases].sort((a, b) => seconds.get(a)! - seconds.get(b)!);
  const byName = new Map(cases.map(({ name }): [string, C[]] => [name, []]));
  for (const work of ascending) {
    const ofName = byName.get(work.name)!;
    if (seconds.get(work)! <= quick || ofName.length === 0) ofName.push(work);
  }
  const rounds = [...byName.values()].map((quickOnes) => spread(quickOnes.length).map((i) => quickOnes[i]!));
  const first = Array.from({ length: cases.length }, (_, round) => rounds.flatMap((of) => of[round] ?? []));
  const chosen = new Set(first.flat());
  return [...chosen, ...ascending.filter((work) => !chosen.has(work))];
}

/** 0 .. count - 1: the last, the first, and then always those that halve the gaps. */
export function spread(count: number): number[] {
  const order = new Set<number>();
  if (count > 0) order.add(count - 1).add(0);
  for (let parts = 2; order.size < count; parts *= 2)
    for (let part = 1; part < parts; part++) order.add(Math.round((part * (count - 1)) / parts));
  return [...order];
}
