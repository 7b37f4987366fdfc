/** @file How the cost of a step or of a pass grows with one size at a time. */
import { type Cost, fitExponent } from "./exponent.ts";

export const axes = ["length", "batch", "layers", "vocabulary"] as const;
export type Axis = (typeof axes)[number];
export type Sizes = Readonly<Record<Axis, number>>;

export interface Growth {
  readonly axis: Axis;
  readonly costs: readonly Cost[];
  /** b of cost = a size^b. */
  readonly exponent: number;
}

/**
 * A quarter, a half and the whole of each size, the others as they are; the batch but for its own row a quarter, which
 * makes no difference to how the other costs grow and is done sooner. A size of 1 doesn't grow and has no row.
 * @param whole what `shape` itself costs, which is known already
 * @param seconds what a shape costs
 */
export async function measureGrowth<S extends Sizes>(
  shape: S,
  whole: number,
  seconds: (shape: S) => Promise<number>,
): Promise<Growth[]> {
  const known = new Map([[keyOf(shape), whole]]);
  const cost = async (of: S): Promise<number> => {
    const found = known.get(keyOf(of)) ?? (await seconds(of));
    known.set(keyOf(of), found);
    return found;
  };
  const base: S = { ...shape, batch: part(shape.batch, 4) };
  const rows: Growth[] = [];
  for (const axis of axes) {
    const sizes = [...new Set([part(shape[axis], 4), part(shape[axis], 2), shape[axis]])];
    if (sizes.length < 2) continue;
    const costs: Cost[] = [];
    for (const size of sizes) costs.push({ size, seconds: await cost({ ...base, [axis]: size }) });
    rows.push({ axis, costs, exponent: fitExponent(costs) });
  }
  return rows;
}

const part = (size: number, of: number) => Math.max(1, Math.floor(size / of));
const keyOf = (sizes: Sizes) => axes.map((axis) => sizes[axis]).join(" ");
