/** @file The table that a device's choices come from: the shipped one, and over it the user's own. */
import type { DeviceFacts } from "../../gpu/facts.ts";
import { shippedEntries } from "./shipped.ts";
import { readEntries, tuningFile } from "./store.ts";
import { TuningTable } from "./table.ts";

export async function loadTuning(facts: DeviceFacts): Promise<TuningTable> {
  const shipped = shippedEntries(facts);
  const file = await tuningFile(facts);
  const own = file === undefined ? [] : await readEntries(file);
  const origins = [
    ...(own.length > 0 ? [`${own.length} entries of ${file}`] : []),
    ...(shipped.length > 0 ? [`${shipped.length} entries shipped for this device`] : []),
  ];
  return TuningTable.of([...shipped, ...own], origins.join("; ") || "none (rmtrain tune makes one)");
}
