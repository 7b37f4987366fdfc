/** @file Values of options: parsed once, refused with the option's name (commander adds it) and what was expected. */
import { InvalidArgumentError, Option } from "commander";
import { defaultMemoryBudget } from "../gpu/gpu.ts";
import { type Precision, precisions } from "../gpu/precision.ts";

const numberOf = (text: string, expected: string): number => {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError(`Expected ${expected}.`);
  return value;
};

/** 1, 2, 3... */
export function positiveInteger(text: string): number {
  const value = numberOf(text, "a whole number above 0");
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("Expected a whole number above 0.");
  return value;
}

/** 0, 1, 2... */
export function wholeNumber(text: string): number {
  const value = numberOf(text, "a whole number");
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("Expected a whole number, at least 0.");
  return value;
}

/** At least 0. */
export function nonNegative(text: string): number {
  const value = numberOf(text, "a number");
  if (value < 0) throw new InvalidArgumentError("Expected a number, at least 0.");
  return value;
}

/** Above 0. */
export function positive(text: string): number {
  const value = numberOf(text, "a number above 0");
  if (value <= 0) throw new InvalidArgumentError("Expected a number above 0.");
  return value;
}

/** From `least` up to, not including, `bound`; `said` is how a message calls that. */
export function between(least: number, bound: number, said: string): (text: string) => number {
  return (text) => {
    const value = numberOf(text, `a number ${said}`);
    if (value < least || value >= bound) throw new InvalidArgumentError(`Expected a number ${said}.`);
    return value;
  };
}

/** From 0 up to, not including, 1. */
export function share(text: string): number {
  const value = numberOf(text, "a share");
  if (value < 0 || value >= 1) throw new InvalidArgumentError("Expected a share from 0 up to 1.");
  return value;
}

/** The values of an option that may come more than once: one as it is, more as a list. */
export function several(value: string, before: string | readonly string[] | undefined): string | string[] {
  return before === undefined ? value : [before, value].flat();
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Bytes: "512MiB", "4GiB", "2e9". */
export function bytes(text: string): number {
  const [, value = "", unit = ""] = /^\s*([\d.]+(?:e\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = units[unit.toLowerCase()];
  const count = Math.floor(Number(value) * (factor ?? Number.NaN));
  if (value === "" || !Number.isSafeInteger(count) || count < 1) {
    throw new InvalidArgumentError("Expected bytes, such as 512MiB, 4GiB or 2e9.");
  }
  return count;
}

/** --precision, the same for every command that runs a model. */
export function precisionOption(byDefault: Precision = "f32"): Option {
  return new Option(
    "--precision <class>",
    "of products in linear layers; f16: factors rounded to f16 for a GPU's matrix units, sums in f32, other bits and rewards that differ in about the fourth digit; f16-emulated: the same rounding without the units, on any adapter",
  )
    .choices(precisions)
    .default(byDefault);
}

/** --memory-budget, the same for every command that opens the device. */
export function memoryBudgetOption(): Option {
  return new Option(
    "--memory-budget <bytes>",
    "what all buffers on the device may take together, such as 512MiB",
  )
    .argParser(bytes)
    .default(defaultMemoryBudget, `${defaultMemoryBudget / 2 ** 30}GiB`);
}
