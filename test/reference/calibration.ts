/** @file Calibration as plainly as it can be written, in float64: every pair twice, once in each order. */

export interface Point {
  /** Stated probability. */
  readonly p: number;
  /** Outcome in [0, 1]. */
  readonly y: number;
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/** Both orders of every pair. */
export function bothOrders(margins: readonly number[], labels: readonly number[]): Point[] {
  return margins.flatMap((m, i) => [
    { p: sigmoid(m), y: labels[i]! },
    { p: sigmoid(-m), y: 1 - labels[i]! },
  ]);
}

export function brier(points: readonly Point[]): number {
  return points.reduce((sum, { p, y }) => sum + (p - y) ** 2, 0) / points.length;
}

export function logLoss(points: readonly Point[]): number {
  const term = (weight: number, p: number) => (weight === 0 ? 0 : -weight * Math.log(p));
  return points.reduce((sum, { p, y }) => sum + term(y, p) + term(1 - y, 1 - p), 0) / points.length;
}

/** ECE over bins that each hold the points whose p lies in one of the ranges [low, high], both ends included. */
export function ece(points: readonly Point[], ranges: readonly (readonly [number, number])[]): number {
  let sum = 0;
  for (const [low, high] of ranges) {
    const bin = points.filter(({ p }) => p >= low && p <= high);
    const mean = (pick: (point: Point) => number) => bin.reduce((s, b) => s + pick(b), 0) / bin.length;
    if (bin.length > 0) sum += bin.length * Math.abs(mean((b) => b.y) - mean((b) => b.p));
  }
  return sum / points.length;
}

/** Scale b = 1/T with the least log-loss among `count` + 1 in [0, most]. */
export function bestScale(
  margins: readonly number[],
  labels: readonly number[],
  most: number,
  count: number,
): number {
  const loss = (b: number) =>
    logLoss(
      bothOrders(
        margins.map((m) => b * m),
        labels,
      ),
    );
  let best = 0;
  for (let i = 1; i <= count; i++) if (loss((most * i) / count) < loss(best)) best = (most * i) / count;
  return best;
}
