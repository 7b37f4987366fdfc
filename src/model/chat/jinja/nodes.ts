/** @file The parts of a parsed template that our interpreter reads by itself. */
import type { Node } from "./library.ts";

export interface Named extends Node {
  readonly value: string;
}
interface Block extends Node {
  readonly body?: readonly Node[];
  readonly alternate?: readonly Node[];
  readonly defaultBlock?: readonly Node[];
}
export interface If extends Node {
  readonly test: Node;
  readonly body: readonly Node[];
  readonly alternate: readonly Node[];
}
export interface For extends Node {
  readonly loopvar: Named | (Node & { readonly value: readonly Named[] });
  readonly iterable: Node | (Node & { readonly lhs: Node; readonly test: Node });
  readonly body: readonly Node[];
  readonly defaultBlock: readonly Node[];
}
export interface Binary extends Node {
  readonly operator: { readonly value: string };
  readonly left: Node;
  readonly right: Node;
}
export interface Filter extends Node {
  readonly operand: Node;
  readonly filter: Node;
}
export interface Call extends Node {
  readonly callee: Node;
  readonly args: readonly Node[];
}
export interface Member extends Node {
  readonly object: Node;
  readonly property: Named;
  readonly computed: boolean;
}

const QUIET = new Set([
  "Set",
  "If",
  "For",
  "Macro",
  "CallStatement",
  "FilterStatement",
  "Break",
  "Continue",
  "Comment",
]);

/** What is asked of the nodes of a template at every rendering, found once. */
export interface Parts {
  /** Expressions whose value becomes part of the text. */
  readonly printed: ReadonlySet<Node>;
  /** Whether the variable `loop` occurs. */
  readonly usesLoop: boolean;
}

export function partsOf(program: Node): Parts {
  const printed = new Set<Node>();
  collectPrinted(program, printed);
  return { printed, usesLoop: JSON.stringify(program).includes('"loop"') };
}

function collectPrinted(node: Node, printed: Set<Node>): void {
  const { body = [], alternate = [], defaultBlock = [] } = node as Block;
  for (const child of [...body, ...alternate, ...defaultBlock]) {
    if (!QUIET.has(child.type)) printed.add(child);
    collectPrinted(child, printed);
  }
}
