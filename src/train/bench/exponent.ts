/** @file How a cost grows: the exponent b of cost = a size^b, fitted. */

export interface Cost {
  readonly size: number;
  readonly seconds: number;
}

/** Least squares between the logarithms. At least two sizes; all above 0. */
export function fitExponent(costs: readonly Cost[]): number {
  const points = costs.map(({ size, seconds }) => [Math.log(size), Math.log(seconds)] as const);
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([x]) => x), mean(([, y]) => y)];
  return mean(([px, py]) => (px - x) * (py - y)) / mean(([px]) => (px - x) ** 2);
}
