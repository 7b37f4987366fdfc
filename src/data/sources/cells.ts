/** @file What the text in a table's cells stands for: numbers, lists of ids, conversations written as JSON. */
import { isObject, type Parsed } from "./json-text.ts";

const NUMBERS = ["margin", "label"];
/** Labels of single replies; pandas writes True and False. */
const LABELS = ["label", "kto_tag"];
const OFTEN_EMPTY = [...NUMBERS, ...LABELS, "id", "rank", "ranks", "scores"];
const LISTS = /_ids$|^(history|tools|chat_template_kwargs|responses|completions|ranks?|scores)$/;

/**
 * The row's cells as a JSON line would have given them, by the names of our fields. What doesn't look like what the
 * field holds stays text, for the layout to refuse.
 */
export function fromCells(cells: Readonly<Record<string, string>>): Parsed {
  const value: [string, unknown][] = [];
  for (const [field, cell] of Object.entries(cells)) {
    // pandas writes a list of messages in Python's own notation, which would pass for a text.
    if (/^\[?\{'(role|content|from|value)': /.test(cell))
      return { problem: `${field}: messages in Python's notation; write them with json.dumps` };
    value.push([field, fromCell(field, cell)]);
  }
  return { value: Object.fromEntries(value) };
}

function fromCell(field: string, cell: string): unknown {
  if (cell === "" && OFTEN_EMPTY.includes(field)) return null;
  if (LABELS.includes(field) && /^\s*(true|false)\s*$/i.test(cell)) return /true/i.test(cell);
  if (NUMBERS.includes(field)) return /^\s*[-+]?(\d|\.\d)/.test(cell) ? asNumber(cell) : cell;
  if (!/^\s*[[{]/.test(cell)) return cell;
  const parsed = asJson(cell);
  return LISTS.test(field) || isMessages(parsed) ? parsed : cell;
}

function asNumber(cell: string): number | string {
  const value = Number(cell);
  return Number.isFinite(value) ? value : cell;
}

function asJson(cell: string): unknown {
  try {
    return JSON.parse(cell);
  } catch {
    return cell;
  }
}

/** A reply may well be JSON; a list of messages, or one message, is none. */
function isMessages(value: unknown): boolean {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return (
    items.length > 0 &&
    items.every(
      (item) =>
        isObject(item) &&
        (("role" in item && ("content" in item || "tool_calls" in item)) ||
          ("from" in item && "value" in item)),
    )
  );
}
