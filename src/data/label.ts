/** @file What a soft label says about the right answer, the same for every accuracy: the device's, training's, reports'. */

/**
 * The side that the label prefers: 1 the chosen reply (p > 0.5), -1 the rejected one (p < 0.5), 0 neither. A pair with
 * p = 0.5 has no right answer, so accuracies leave it out.
 */
export function preferredSide(label: number): 1 | -1 | 0 {
  return label > 0.5 ? 1 : label < 0.5 ? -1 : 0;
}
