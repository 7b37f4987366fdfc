/**
 * @file @huggingface/jinja's interpreter, where it differs from Jinja2 without saying so: what is printed, equality,
 * variables set in a loop, text before a `break`, strip("chars"). What it doesn't know at all stays an error.
 */
import { Environment, Interpreter, type Node, type Scope, type Value, wrap } from "./library.ts";
import type { Binary, Call, Filter, For, If, Member, Named, Parts } from "./nodes.ts";
import {
  capitalize,
  isList,
  listOf,
  mapOf,
  numberOf,
  pythonEqual,
  pythonModulo,
  pythonText,
  strip,
} from "./python.ts";

/** `break` and `continue`, with the text that the blocks that they leave had written. */
class LoopControl extends Error {
  text = "";
  constructor(readonly kind: string) {
    super(`${kind.toLowerCase()} outside of a loop`);
  }
}

/** What a template may make at most; beyond it, it is stopped. */
export interface Limits {
  /** UTF-16 units of any one text, the result included. */
  readonly text: number;
  /** Entries of any one list. */
  readonly list: number;
}

export class PythonInterpreter extends Interpreter {
  readonly #parts: Parts;
  readonly #limits: Limits;

  constructor(scope: Scope, parts: Parts, limits: Limits) {
    super(scope);
    this.#parts = parts;
    this.#limits = limits;
  }

  override evaluate(node: Node | undefined, scope: Scope): Value {
    const value = this.#own(node, scope) ?? super.evaluate(node, scope);
    if (value.type === "StringValue") this.#checkText(String(value.value));
    else if (isList(value) && listOf(value).length > this.#limits.list)
      throw new Error(`a list of more than ${this.#limits.list} entries`);
    if (value.type === "StringValue" || node === undefined || !this.#parts.printed.has(node)) return value;
    return wrap(pythonText(value));
  }

  #checkText(text: string): string {
    if (text.length > this.#limits.text)
      throw new Error(`a text of more than ${this.#limits.text} characters`);
    return text;
  }

  /** Undefined: as the library has it. */
  #own(node: Node | undefined, scope: Scope): Value | undefined {
    switch (node?.type) {
      case "If":
        return this.#if(node as If, scope);
      case "For":
        return this.#for(node as For, scope);
      case "Identifier":
        return lookUp((node as Named).value, scope);
      case "Break":
      case "Continue":
        throw new LoopControl(node.type);
      case "BinaryExpression":
        return this.#binary(node as Binary, scope);
      case "FilterExpression":
        return this.#filter(node as Filter, scope);
      case "CallExpression":
        return this.#method(node as Call, scope);
      default:
        return undefined;
    }
  }

  #block(nodes: readonly Node[], scope: Scope): string {
    let text = "";
    try {
      for (const node of nodes) {
        const value = this.evaluate(node, scope);
        if (value.type === "NullValue" || value.type === "UndefinedValue") continue;
        text = this.#checkText(text + value.toString());
      }
    } catch (error) {
      if (error instanceof LoopControl) error.text = text + error.text;
      throw error;
    }
    return text;
  }

  #if({ test, body, alternate }: If, scope: Scope): Value {
    const holds = truth(this.evaluate(test, scope));
    return wrap(this.#block(holds ? body : alternate, scope));
  }

  /** Each round has a scope of its own: what it sets is gone in the next one. */
  #for(node: For, scope: Scope): Value {
    const select = "lhs" in node.iterable ? node.iterable : undefined;
    const all = items(this.evaluate(select?.lhs ?? node.iterable, scope));
    const taken = all.filter((item) => {
      if (select === undefined) return true;
      const inner = new Environment(scope);
      bind(node.loopvar, item, inner);
      return truth(this.evaluate(select.test, inner));
    });
    let text = "";
    for (const [i, item] of taken.entries()) {
      const inner = new Environment(scope);
      if (this.#parts.usesLoop) inner.setVariable("loop", loopVariable(taken, i));
      bind(node.loopvar, item, inner);
      try {
        text += this.#block(node.body, inner);
      } catch (error) {
        if (!(error instanceof LoopControl)) throw error;
        text += error.text;
        if (error.kind === "Break") break;
      }
      this.#checkText(text);
    }
    return wrap(taken.length > 0 ? text : this.#block(node.defaultBlock, scope));
  }

  #binary({ operator, left, right }: Binary, scope: Scope): Value | undefined {
    if (!["==", "!=", "~", "%"].includes(operator.value)) return undefined;
    const [a, b] = [this.evaluate(left, scope), this.evaluate(right, scope)];
    if (operator.value === "~") return wrap(pythonText(a) + pythonText(b));
    if (operator.value !== "%") return wrap(pythonEqual(a, b) === (operator.value === "=="));
    const [x, y] = [numberOf(a), numberOf(b)];
    if (x === undefined || y === undefined) throw new Error("% is known for numbers only");
    return wrap(pythonModulo(x, y));
  }

  #filter({ operand, filter }: Filter, scope: Scope): Value | undefined {
    const call = filter.type === "CallExpression" ? (filter as Call) : undefined;
    const name = ((call?.callee ?? filter) as Named).value;
    if (!["trim", "string", "length", "count", "capitalize"].includes(name)) return undefined;
    const value = this.evaluate(operand, scope);
    if (name === "string") return wrap(pythonText(value));
    if (name === "length" || name === "count") return wrap(lengthOf(value));
    const text = pythonText(value);
    if (name === "capitalize") return wrap(capitalize(text));
    return wrap(strip(text, "strip", this.#characters(call?.args ?? [], scope)));
  }

  /** text.strip() and its kind, which the library takes for strip() of white space whatever it is given. */
  #method({ callee, args }: Call, scope: Scope): Value | undefined {
    if (callee.type !== "MemberExpression") return undefined;
    const { object, property, computed } = callee as Member;
    const name = property.value;
    if (computed || !(isStrip(name) || name === "capitalize")) return undefined;
    const value = this.evaluate(object, scope);
    if (value.type !== "StringValue") return undefined;
    const text = String(value.value);
    return wrap(isStrip(name) ? strip(text, name, this.#characters(args, scope)) : capitalize(text));
  }

  #characters([only]: readonly Node[], scope: Scope): string | undefined {
    if (only === undefined) return undefined;
    const value = this.evaluate(only, scope);
    if (value.type === "NullValue") return undefined;
    if (value.type !== "StringValue") throw new Error("characters to strip are given as a string");
    return String(value.value);
  }
}

/** The library's own look-up throws and catches an error for each variable that isn't there, which is slow. */
function lookUp(name: string, scope: Scope | undefined): Value {
  for (let s = scope; s !== undefined; s = s.parent) {
    const value = s.variables.get(name);
    if (value !== undefined) return value;
  }
  return wrap(undefined);
}

function isStrip(name: string): name is "strip" | "lstrip" | "rstrip" {
  return name === "strip" || name === "lstrip" || name === "rstrip";
}

function truth(value: Value): boolean {
  if (isList(value)) return listOf(value).length > 0;
  return value.value instanceof Map
    ? value.type === "NamespaceValue" || value.value.size > 0
    : Boolean(value.value);
}

/** What a loop goes over. An undefined variable is as an empty list. */
function items(value: Value): readonly Value[] {
  if (isList(value)) return listOf(value);
  if (value.type === "ObjectValue") return [...mapOf(value).keys()].map(wrap);
  if (value.type === "StringValue") return Array.from(String(value.value), wrap);
  if (value.type === "UndefinedValue") return [];
  throw new Error(`a loop over ${pythonText(value)}, which is no list`);
}

function bind(loopvar: For["loopvar"], item: Value, scope: Scope): void {
  if (typeof loopvar.value === "string") {
    scope.setVariable(loopvar.value, item);
    return;
  }
  const parts = items(item);
  if (parts.length !== loopvar.value.length)
    throw new Error(`a loop over ${loopvar.value.length} variables finds ${parts.length} values`);
  for (const [i, { value }] of loopvar.value.entries()) scope.setVariable(value, parts[i]!);
}

function loopVariable(taken: readonly Value[], i: number): Value {
  const n = taken.length;
  const loop = wrap({
    index: i + 1,
    index0: i,
    revindex: n - i,
    revindex0: n - i - 1,
    first: i === 0,
    last: i === n - 1,
    length: n,
    cycle: (...values: unknown[]) => values[i % values.length],
  });
  const nothing = wrap(undefined);
  mapOf(loop).set("previtem", taken[i - 1] ?? nothing);
  mapOf(loop).set("nextitem", taken[i + 1] ?? nothing);
  return loop;
}

function lengthOf(value: Value): number {
  if (isList(value)) return listOf(value).length;
  if (value.type === "ObjectValue") return mapOf(value).size;
  if (value.type === "StringValue") return Array.from(String(value.value)).length;
  if (value.type === "UndefinedValue") return 0;
  throw new Error(`${pythonText(value)} has no length`);
}
