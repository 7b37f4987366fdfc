/** @file The metrics that a loss writes for each batch, and where in a metrics tensor they stand. */
import type { Tensor } from "../tensor/tensor.ts";
import { expectShape } from "./shapes.ts";

/** Columns of a metrics tensor [steps, count] f32. All are means over the step's examples; the optimiser adds gradNorm. */
export const metricColumns = {
  loss: 0,
  /**
   * Pairs: share whose preferred reply (the chosen one where the label is above 0.5, else the rejected one) has the
   * larger reward; ties are wrong; pairs with label 0.5 have no right answer and are left out; 0 where there are no others.
   * Rows: share on the right side of the point of reference. Lists: as pairs, over all pairs of replies that are no ties.
   */
  accuracy: 1,
  /** Share of pairs with r_w = r_l; of rows that lie on the point of reference. */
  ties: 2,
  /** mean(r_w - r_l); of rows: mean desirable reward minus mean undesirable one, 0 where one side is empty. */
  margin: 3,
  /** Over all rewards. */
  minReward: 4,
  meanReward: 5,
  maxReward: 6,
  /** Of all gradients, before clipping. */
  gradNorm: 7,
  count: 8,
} as const;

export interface MetricsRow {
  /** [steps, metricColumns.count] f32, of which row `row` is written (all but gradNorm): of this call's examples. */
  readonly metrics: Tensor;
  readonly row: number;
}

/** @throws Error where the tensor is no metrics or has no such row */
export function expectMetrics(op: string, { metrics, row }: MetricsRow): void {
  expectShape(`${op} metrics`, metrics, metrics.rows, metricColumns.count);
  if (row >= metrics.rows) throw new Error(`${op}: ${metrics.shape} has no row ${row}`);
}
