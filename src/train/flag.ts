/** @file An option's flag on the command line. */
import type { TrainOptions } from "./options.ts";

/** `overlong` has a flag of another name; every other option is called as its flag. */
export function flagOf(name: keyof TrainOptions): string {
  if (name === "overlong") return "--truncate";
  return `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
}
