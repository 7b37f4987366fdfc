/** @file --columns: our names for the fields of records that have other ones. */
import { InputError } from "../../errors.ts";

/** Our field's name to theirs; "" leaves ours out. */
export type Columns = Readonly<Record<string, string>>;

/** "chosen=best,rejected=worst" as names. @throws InputError saying what was expected */
export function parseColumns(text: string): Columns {
  return Object.fromEntries(
    text.split(",").map((pair) => {
      const [, ours = "", theirs = ""] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
      if (ours === "")
        throw new InputError(
          `--columns ${text}: expected FIELD=NAME, for example chosen=best,rejected=worst`,
        );
      return [ours, theirs];
    }),
  );
}

/** The fields under our names: a mapped one takes the place of whatever had that name. */
export function rename<T>(fields: Readonly<Record<string, T>>, columns: Columns): Record<string, T> {
  const theirs = new Set(Object.values(columns));
  const kept = Object.entries(fields).filter(([name]) => !theirs.has(name) && !Object.hasOwn(columns, name));
  const renamed = Object.entries(columns).flatMap(([ours, name]): [string, T][] =>
    name !== "" && Object.hasOwn(fields, name) ? [[ours, fields[name]!]] : [],
  );
  return Object.fromEntries([...kept, ...renamed]);
}

/** @throws InputError for a name that the first row of a file doesn't have */
export function checkColumns(
  fields: Readonly<Record<string, unknown>>,
  columns: Columns,
  where: string,
): void {
  for (const [ours, name] of Object.entries(columns)) {
    if (name === "" || Object.hasOwn(fields, name)) continue;
    const found = Object.keys(fields).join(", ");
    throw new InputError(`${where}: --columns ${ours}=${name}: no field ${name}; there are ${found}`);
  }
}
