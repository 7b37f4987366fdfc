/** @file Pairs by the values of their records' other fields. */
import type { Pair } from "./dataset.ts";

/** Names of all fields that a record brings besides its pair, in the order of their first appearance. */
export function fieldsOf(pairs: readonly Pair[]): string[] {
  const names = new Set<string>();
  for (const { record } of pairs) for (const name of Object.keys(record.extra)) names.add(name);
  return [...names];
}

/**
 * Indices of the pairs by the value of a field (a string as it is, anything else as JSON), values in order; pairs
 * without it belong to none.
 * @param most undefined is returned as soon as there are more values than this
 */
export function membersBy(
  pairs: readonly Pair[],
  field: string,
  most = Number.POSITIVE_INFINITY,
): Map<string, readonly number[]> | undefined {
  const members = new Map<string, number[]>();
  for (const [i, pair] of pairs.entries()) {
    const value = pair.record.extra[field];
    if (value === undefined || value === null) continue;
    const key = typeof value === "string" ? value : JSON.stringify(value);
    const group = members.get(key);
    if (group !== undefined) group.push(i);
    else if (members.size === most) return undefined;
    else members.set(key, [i]);
  }
  return new Map([...members].sort(([a], [b]) => (a < b ? -1 : 1)));
}
