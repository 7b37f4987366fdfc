/** @file Ctrl-C and SIGTERM: at once, whatever is awaited, unless a command has asked to finish a step and save first. */

const codes = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof codes;

let asked: ((signal: Signal) => void) | undefined;

/** For the whole process. A progress bar listens too, to give the terminal its cursor back; it comes first. */
export function listenForInterrupts(): void {
  for (const signal of Object.keys(codes) as Signal[]) {
    process.on(signal, () => {
      const finish = asked;
      asked = undefined;
      if (finish === undefined) setImmediate(() => process.exit(codes[signal]));
      else finish(signal);
    });
  }
}

/** Turns the first interrupt, once `arm` has been called, into an aborted signal; a second one ends the process. */
export class Interruptible implements Disposable {
  readonly #controller = new AbortController();
  #code: number | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The process's exit code after an interrupt; undefined: there was none. */
  get exitCode(): number | undefined {
    return this.#code;
  }

  /** @param said called when the interrupt comes */
  arm(said: () => void): void {
    asked = (signal) => {
      this.#code = codes[signal];
      said();
      this.#controller.abort(new Error(signal));
    };
  }

  [Symbol.dispose](): void {
    asked = undefined;
  }
}
