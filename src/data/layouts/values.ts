/** @file What a record's fields may hold, each with words for what is wrong; zod does the walking. */
import { z } from "zod";
import { InputError } from "../../errors.ts";

const MAX_ID = 2 ** 31 - 1;

export const text = z
  .string({ error: (issue) => textProblem(issue.input) })
  .refine((value) => !hasLoneSurrogate(value), {
    error: "holds half of a surrogate pair, which is not text",
  });

const idProblem = {
  error: (issue: { input?: unknown }) => `expected a token id, found ${describe(issue.input)}`,
};
export const ids = z.array(z.int(idProblem).min(0, idProblem).max(MAX_ID, idProblem), {
  error: (issue) => expected("a list of token ids", issue.input),
});

export const margin = z.number({ error: (issue) => expected("a finite number", issue.input) });

const labelProblem = {
  error: (issue: { input?: unknown }) =>
    typeof issue.input === "boolean"
      ? "expected a number from 0 to 1; true and false label single replies, rows {prompt, completion, label} for the loss kto"
      : `${expected("a number from 0 to 1, the probability that chosen is better", issue.input)}; --columns label= leaves it out`,
};
export const label = z.number(labelProblem).min(0, labelProblem).max(1, labelProblem);

export const id = z.union([z.string(), z.number()], { error: "expected a string or a finite number" });

/** Validates with zod; the first problem becomes an InputError "where: field: reason". */
export function check<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = (issue?.path ?? [])
    .map((key) => (typeof key === "number" ? `[${key}]` : String(key)))
    .join("");
  throw new InputError(`${where}: ${path}: ${issue?.message ?? "invalid"}`);
}

/** One field that is a string. @throws InputError */
export function textField(record: Readonly<Record<string, unknown>>, field: string, where: string): string {
  return check(z.object({ [field]: text }), record, where)[field] ?? "";
}

/** Half of a surrogate pair is no text: it can't be written as UTF-8. */
export function hasLoneSurrogate(value: string): boolean {
  return /\p{Surrogate}/u.test(value);
}

export function expected(what: string, value: unknown): string {
  return value === undefined ? "missing" : `expected ${what}, found ${describe(value)}`;
}

export function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "an object";
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
  return `the ${typeof value} ${shown}`;
}

function textProblem(value: unknown): string {
  return Array.isArray(value) && typeof value[0] === "number"
    ? "expected a string; token ids go into the fields that end in _ids"
    : expected("a string", value);
}
