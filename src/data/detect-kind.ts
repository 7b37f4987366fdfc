/** @file Which kind of examples files hold, told by the first record. */
import type { ExampleKind } from "./example-kind.ts";
import { LABELLED } from "./layouts/labelled.ts";
import { type Fields, has, type Layouts } from "./layouts/layout.ts";
import { LISTS } from "./layouts/lists.ts";
import { isPair } from "./layouts/pairs.ts";
import { TEXTS } from "./layouts/singles.ts";
import { plainTexts } from "./plain-text.ts";
import type { Columns } from "./sources/columns.ts";
import { STDIN } from "./sources/files.ts";
import { isObject } from "./sources/json-text.ts";
import { readRows } from "./sources/rows.ts";

/**
 * pairs where it can't be told: of standard input, which can be read only once, and of a record of no layout, whose
 * reading says what is wrong with it.
 * @throws InputError where a file can't be read at all
 */
export async function detectKind(
  paths: string | readonly string[],
  columns: Columns = {},
): Promise<ExampleKind> {
  if ([paths].flat().includes(STDIN)) return "pairs";
  for await (const row of readRows(paths, columns, { plainText: plainTexts.plainText === true }))
    return "value" in row && isObject(row.value) ? kindOf(row.value) : "pairs";
  return "pairs";
}

function kindOf(record: Fields): ExampleKind {
  const isOf = ({ layouts }: Layouts) => layouts.some((layout) => layout.matches(record));
  if (isPair(record)) return "pairs";
  if (isOf(LISTS)) return "lists";
  if (isOf(LABELLED) && (has(record, "label") || has(record, "kto_tag"))) return "rows";
  return isOf(TEXTS) ? "texts" : "pairs";
}
