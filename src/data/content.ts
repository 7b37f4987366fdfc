/**
 * @file What the model is to read: one prompt and its replies, as text or as token ids. Training pairs and lines to
 * score are both validated here, against a list of shapes that a record may have.
 */
import { z } from "zod";
import { InputError } from "../errors.ts";

/** One prompt ("" where there is none) and its k replies: 1 for a text to score, 2 for a pair (chosen first). */
export interface TextContent {
  readonly kind: "text";
  readonly prompt: string;
  readonly replies: readonly string[];
}

/** The same as token ids, which are taken as they are: `prompt` is put before each reply, nothing is added. */
export interface IdContent {
  readonly kind: "ids";
  readonly prompt: readonly number[];
  readonly replies: readonly (readonly number[])[];
}

export type Content = TextContent | IdContent;

/** One form that a record may have: the fields of the replies, all its fields, and how they become content. */
export interface Shape {
  readonly replies: readonly string[];
  readonly fields: readonly string[];
  readonly schema: z.ZodType<Content>;
}

const MAX_ID = 2 ** 31 - 1;
const CONVERSATIONAL = "conversational records come with chat templates: not supported yet";

const text = z
  .string({ error: (issue) => textProblem(issue.input) })
  .refine((value) => !/\p{Surrogate}/u.test(value), {
    error: "holds half of a surrogate pair, which is not text",
  });

const idProblem = {
  error: (issue: { input?: unknown }) => `expected a token id, found ${describe(issue.input)}`,
};
const ids = z.array(z.int(idProblem).min(0, idProblem).max(MAX_ID, idProblem), {
  error: (issue) => expected("a list of token ids", issue.input),
});

export const margin = z.number({ error: (issue) => expected("a finite number", issue.input) });

export const TEXT_PAIR: Shape = {
  replies: ["chosen", "rejected"],
  fields: ["prompt", "chosen", "rejected"],
  schema: z
    .object({ prompt: text.nullish(), chosen: text, rejected: text })
    .transform((r) => ({ kind: "text", prompt: r.prompt ?? "", replies: [r.chosen, r.rejected] })),
};

export const ID_PAIR: Shape = {
  replies: ["chosen_ids", "rejected_ids"],
  fields: ["prompt_ids", "chosen_ids", "rejected_ids"],
  schema: z
    .object({ prompt_ids: ids.nullish(), chosen_ids: ids, rejected_ids: ids })
    .transform((r) => ({ kind: "ids", prompt: r.prompt_ids ?? [], replies: [r.chosen_ids, r.rejected_ids] })),
};

export const TEXT: Shape = {
  replies: ["text"],
  fields: ["text"],
  schema: z.object({ text }).transform((r) => ({ kind: "text", prompt: "", replies: [r.text] })),
};

export const TEXT_RESPONSE: Shape = {
  replies: ["response"],
  fields: ["prompt", "response"],
  schema: z
    .object({ prompt: text.nullish(), response: text })
    .transform((r) => ({ kind: "text", prompt: r.prompt ?? "", replies: [r.response] })),
};

export const IDS: Shape = {
  replies: ["input_ids"],
  fields: ["input_ids"],
  schema: z
    .object({ input_ids: ids })
    .transform((r) => ({ kind: "ids", prompt: [], replies: [r.input_ids] })),
};

export const ID_RESPONSE: Shape = {
  replies: ["response_ids"],
  fields: ["prompt_ids", "response_ids"],
  schema: z
    .object({ prompt_ids: ids.nullish(), response_ids: ids })
    .transform((r) => ({ kind: "ids", prompt: r.prompt_ids ?? [], replies: [r.response_ids] })),
};

/**
 * The content of a record that has exactly one of `shapes`, and the shape. A field that is null counts as absent.
 * @param where "file:line", the beginning of every error.
 * @throws InputError saying which field is wrong and what was found.
 */
export function parseContent(record: Record<string, unknown>, shapes: readonly Shape[], where: string) {
  const given = (field: string) => record[field] !== undefined && record[field] !== null;
  const shape = shapes.find((s) => s.replies.some(given));
  if (shape === undefined) throw new InputError(`${where}: ${noShape(record, shapes)}`);
  const stray = shapes
    .flatMap((s) => s.fields)
    .find((field) => given(field) && !shape.fields.includes(field));
  if (stray !== undefined) {
    const use = shape.fields.join(", ");
    throw new InputError(`${where}: ${stray} doesn't go with ${shape.replies.find(given)}; use only ${use}`);
  }
  return { shape, content: check(shape.schema, record, where) };
}

/** The line's value as an object with fields. */
export function parseObject(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new InputError(`${where}: expected a JSON object, found ${describe(value)}`);
}

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

function textProblem(value: unknown): string {
  if (!Array.isArray(value)) return expected("a string", value);
  return typeof value[0] === "number"
    ? "expected a string; token ids go into the fields that end in _ids"
    : CONVERSATIONAL;
}

function noShape(record: Record<string, unknown>, shapes: readonly Shape[]): string {
  if (Array.isArray(record.messages)) return CONVERSATIONAL;
  const forms = shapes.map((s) => s.replies.join(" and ")).join(", or ");
  return `expected ${forms}; found ${Object.keys(record).join(", ") || "no field"}`;
}

function expected(what: string, value: unknown): string {
  return value === undefined ? "missing" : `expected ${what}, found ${describe(value)}`;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "an object";
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
  return `the ${typeof value} ${shown}`;
}
