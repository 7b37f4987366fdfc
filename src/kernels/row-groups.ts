/** @file Rows grouped by id on the host, so that the gradient of a look-up is a sum in a fixed order, without atomics. */
import type { Gpu } from "../gpu/gpu.ts";
import { type Tensor, uploadTensor } from "../tensor/tensor.ts";

/** Rows of one id that are summed before their sum is added to the id's total; a function of nothing. */
const chunk = 64;

/** A run of units (row, begin, end, 0) in the table. */
interface Units {
  readonly first: number;
  readonly count: number;
}

export interface RowGroups {
  /** Rows that were grouped, the skipped ones among them. */
  readonly rows: number;
  /** Largest id that has rows; -1: none has. */
  readonly maxId: number;
  /** [n, 4] i32: the units of `cold`, `chunks` and `hot`, then the rows, by id, ascending. */
  readonly table: Tensor;
  /** vec4 of the table at which the rows begin. */
  readonly list: number;
  /** One unit for each id of few rows: (id, begin and end in the rows). */
  readonly cold: Units;
  /** Units of at most 64 rows that together make up the ids of more: (partial sum, begin and end in the rows). */
  readonly chunks: Units;
  /** One unit for each id of many rows: (id, begin and end in the partial sums). */
  readonly hot: Units;
  /** Partial sums that any `capacity` rows can give. */
  readonly partialCapacity: number;
}

export interface RowGroupsOptions {
  /** Rows to make room for. Default: those of `ids`. */
  readonly capacity?: number;
  /** An id whose rows get no gradient. */
  readonly skip?: number | undefined;
}

/** More partial sums than `capacity` rows can give: an id of n > 64 rows gives less than n / 64 + 1, so less than n / 32. */
const partialsOf = (capacity: number) => Math.ceil((2 * capacity) / chunk);
/** More units and quads of rows than `capacity` rows can give. */
const tableRows = (capacity: number) =>
  capacity + partialsOf(capacity) + Math.ceil(capacity / chunk) + Math.ceil(capacity / 4);

/** Groups rows by their id, ids >= 0, and uploads the groups into the current scope. */
export function uploadRowGroups(gpu: Gpu, ids: Int32Array, options: RowGroupsOptions = {}): RowGroups {
  const capacity = Math.max(ids.length, options.capacity ?? ids.length);
  const groups = group(ids, options.skip);
  const cold: number[] = [];
  const chunks: number[] = [];
  const hot: number[] = [];
  const list: number[] = [];
  for (const [id, rows] of groups) {
    const begin = list.length;
    for (const row of rows) list.push(row);
    if (rows.length <= chunk) {
      cold.push(id, begin, list.length, 0);
      continue;
    }
    const firstPartial = chunks.length / 4;
    for (let at = begin; at < list.length; at += chunk)
      chunks.push(chunks.length / 4, at, Math.min(at + chunk, list.length), 0);
    hot.push(id, firstPartial, chunks.length / 4, 0);
  }
  while (list.length % 4 !== 0) list.push(0);
  const table = uploadTensor(gpu, Int32Array.from([...cold, ...chunks, ...hot, ...list]), 4, "row groups", {
    capacity: tableRows(capacity),
  });
  const counts = [cold, chunks, hot].map((units) => units.length / 4);
  const [coldCount = 0, chunkCount = 0, hotCount = 0] = counts;
  return {
    rows: ids.length,
    maxId: [...groups.keys()].reduce((most, id) => Math.max(most, id), -1),
    table,
    list: coldCount + chunkCount + hotCount,
    cold: { first: 0, count: coldCount },
    chunks: { first: coldCount, count: chunkCount },
    hot: { first: coldCount + chunkCount, count: hotCount },
    partialCapacity: partialsOf(capacity),
  };
}

/** Rows of each id, ascending; ids in the order in which they first occur. */
function group(ids: Int32Array, skip: number | undefined): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  ids.forEach((id, row) => {
    if (id === skip) return;
    if (id < 0) throw new Error(`uploadRowGroups: row ${row} has the id ${id}`);
    const rows = groups.get(id);
    if (rows === undefined) groups.set(id, [row]);
    else rows.push(row);
  });
  return groups;
}
