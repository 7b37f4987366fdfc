/** @file Which modules PEFT's patterns mean: ends of names in a list, or one regular expression of whole names. */
import { InputError } from "../../errors.ts";
import { allLinear, type ByPattern, type LoraSettings } from "./settings.ts";

type Names = LoraSettings["targets"];

/** The matcher of `target_modules` or `exclude_modules`. @param where what errors call it */
export function nameMatcher(names: Names, where: string): (name: string) => boolean {
  if (typeof names !== "string")
    return (name) => names.some((end) => name === end || name.endsWith(`.${end}`));
  if (names.toLowerCase() === allLinear) return (name) => name !== "lm_head";
  const whole = expression(names, where);
  return (name) => whole.test(name);
}

/** The value of the first pattern that is the name, or an end of it that begins after a dot. */
export function byPattern(patterns: ByPattern | undefined, name: string, where: string): number | undefined {
  for (const [pattern, value] of Object.entries(patterns ?? {}))
    if (expression(`(.*\\.)?(${pattern})`, where).test(name)) return value;
  return undefined;
}

/** Python's expressions, as far as JavaScript's mean the same. */
function expression(source: string, where: string): RegExp {
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    throw new InputError(
      `${where}: ${JSON.stringify(source)} is a regular expression that JavaScript does not read; list the modules' names`,
    );
  }
}
