/**
 * @file Tables for known devices, measured with `rmtrain tune --force` and shipped with the package (scripts/ship-tuning.ts
 * writes them). A user's own table comes before them.
 */
import type { DeviceFacts } from "../../gpu/facts.ts";
import { shippedTables } from "./shipped-tables.ts";
import type { TuningEntry } from "./table.ts";

export interface ShippedTable {
  readonly device: Pick<DeviceFacts, "vendor" | "architecture" | "subgroupMin">;
  /** What it was measured on, and when. */
  readonly measured: string;
  readonly entries: readonly TuningEntry[];
}

export function shippedEntries(facts: DeviceFacts): readonly TuningEntry[] {
  const known = shippedTables.find(
    ({ device: { vendor, architecture, subgroupMin } }) =>
      vendor === facts.vendor && architecture === facts.architecture && subgroupMin === facts.subgroupMin,
  );
  return known?.entries ?? [];
}
