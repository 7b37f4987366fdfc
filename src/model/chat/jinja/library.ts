/**
 * @file What is used of @huggingface/jinja, typed: its declarations name modules in a way that TypeScript doesn't
 * find under Node's resolution.
 */
import * as library from "@huggingface/jinja";

/** A value while a template runs; `value` is what it holds: a string, a number, a list or a Map of values... */
export interface Value {
  readonly type: string;
  readonly value: unknown;
  toString(): string;
}

export interface Scope {
  readonly variables: Map<string, Value>;
  readonly parent?: Scope;
  /** Declares a variable, converted to a value, which is given back. Names of a scope are declared once. */
  set(name: string, value: unknown): Value;
  setVariable(name: string, value: Value): Value;
}

/** A statement or an expression; what else it has depends on its type. */
export interface Node {
  readonly type: string;
}

export interface Program extends Node {
  readonly body: readonly Node[];
}

interface Library {
  readonly Environment: new (parent?: Scope) => Scope;
  readonly Interpreter: new (
    scope: Scope,
  ) => { run(program: Program): Value; evaluate(node: Node | undefined, scope: Scope): Value };
  tokenize(source: string, options: { trim_blocks: boolean; lstrip_blocks: boolean }): unknown;
  parse(tokens: unknown): Program;
}

export const { Environment, Interpreter, tokenize, parse } = library as unknown as Library;

/** A value of the library for a plain one. */
export function wrap(plain: unknown): Value {
  if (typeof plain === "string") return new Text(plain);
  return typeof plain === "boolean" ? truths[Number(plain)]! : new Environment().set("value", plain);
}

// Texts and truths are made all the time, and a scope only for its conversion is slow.
const Text = new Environment().set("value", "").constructor as new (text: string) => Value;
const truths = [new Environment().set("value", false), new Environment().set("value", true)];
