/**
 * @file A compiled template and the environment that transformers renders it in
 * (`_compile_jinja_template` in transformers/utils/chat_template_utils.py): trim_blocks, lstrip_blocks,
 * raise_exception, strftime_now, a range of at most 100,000 numbers as in Jinja2's sandbox.
 */
import { type Limits, PythonInterpreter } from "./interpreter.ts";
import { Environment, type Program, parse, tokenize, wrap } from "./library.ts";
import { partsOf } from "./nodes.ts";
import { strftime } from "./strftime.ts";

const MAX_RANGE = 100_000;

export interface CompiledTemplate {
  /**
   * @param clock "YYYY-MM-DDTHH:MM:SS", what strftime_now reads
   * @throws Error with the reason, also the template's own raise_exception
   */
  render(variables: Readonly<Record<string, unknown>>, clock: string): string;
  /** Whether any rendering read the clock. */
  readonly readClock: boolean;
}

/** @throws Error where the source is no template */
export function compile(source: string, limits: Limits): CompiledTemplate {
  // Jinja2 reads every kind of line end as \n.
  const tokens = tokenize(source.replace(/\r\n?/g, "\n"), { trim_blocks: true, lstrip_blocks: true });
  const program: Program = parse(tokens);
  const parts = partsOf(program);
  let readClock = false;
  let now = new Date(0);
  const globals = new Environment();
  const functions = {
    range,
    raise_exception(message: unknown) {
      throw new Error(`the template refuses it: ${message}`);
    },
    strftime_now(format: unknown) {
      readClock = true;
      return strftime(now, String(format));
    },
  };
  for (const [name, value] of Object.entries({ ...constants, ...functions })) globals.set(name, value);
  return {
    get readClock() {
      return readClock;
    },
    render(variables, clock) {
      now = new Date(`${clock}Z`);
      const scope = new Environment(globals);
      for (const [name, value] of Object.entries(variables)) scope.setVariable(name, wrap(value));
      return String(new PythonInterpreter(scope, parts, limits).run(program).value);
    },
  };
}

const constants = { true: true, false: false, none: null, True: true, False: false, None: null };

function range(first: unknown, second?: unknown, by: unknown = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const [from, to, step] = [start, stop, by].map((n) => {
    if (typeof n !== "number" || !Number.isSafeInteger(n)) throw new Error("range() takes whole numbers");
    return n;
  }) as [number, number, number];
  if (step === 0) throw new Error("range() can't go by steps of 0");
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (count > MAX_RANGE) throw new Error(`range() of more than ${MAX_RANGE} numbers`);
  return Array.from({ length: count }, (_, i) => from + i * step);
}
