/** @file Logarithms and sigmoids in float64 that keep their digits at any argument. */

/** 1 / (1 + exp(-z)); a large exp(-z) gives 0, which is right. */
export function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

/** sigmoid(z) sigmoid(-z), the sigmoid's derivative. */
export function sigmoidSlope(z: number): number {
  const e = Math.exp(-Math.abs(z));
  return e / (1 + e) ** 2;
}

/** -log sigmoid(z), stable at any z. */
export function softplusNegative(z: number): number {
  return Math.max(-z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}
