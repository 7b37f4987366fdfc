/** @file A contestant's process, seen from run.ts. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type Answer, answerMark, type Request, type RunTimes } from "./protocol.ts";

/** How a contestant's process is started. */
export interface Command {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How far its results may be off, where it computes with less precision than f32. */
  readonly tolerance?: number;
}

export class ContestantProcess {
  readonly tolerance: number | undefined;
  readonly #child: ChildProcess;
  readonly #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  /** The end of what it wrote to stderr. */
  #complaints = "";

  private constructor(
    readonly name: string,
    { file, args, env, tolerance }: Command,
  ) {
    this.tolerance = tolerance;
    this.#child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error(`${name}: no pipes`);
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-2000);
    });
    createInterface({ input: stdout }).on("line", (line) => {
      if (line.startsWith(answerMark)) this.#answered(JSON.parse(line.slice(answerMark.length)) as Answer);
    });
    this.#child.on("error", (error) => this.#ended(error.message));
    this.#child.on("close", (code, signal) => this.#ended(`it ended (${signal ?? code})`));
    this.#child.stdin?.on("error", () => {});
  }

  /** @returns the process and the version it names */
  static async start(command: Command): Promise<{ contestant: ContestantProcess; version: string }> {
    const contestant = new ContestantProcess(command.name, command);
    return { contestant, version: String(await contestant.#next()) };
  }

  async prepare(dir: string): Promise<boolean> {
    return (await this.#ask({ prepare: dir })) === true;
  }

  /** @returns what the process measured */
  async run(): Promise<RunTimes> {
    return (await this.#ask({ run: true })) as RunTimes;
  }

  async results(file: string): Promise<void> {
    await this.#ask({ results: file });
  }

  async release(): Promise<void> {
    await this.#ask({ release: true });
  }

  /** Ends the process. */
  stop(): void {
    this.#child.stdin?.end();
    this.#child.kill();
  }

  #ask(request: Request): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return this.#next();
  }

  #next(): Promise<unknown> {
    if (this.#child.exitCode !== null) return Promise.reject(new Error(`${this.name} has ended`));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.shift();
    if ("ok" in answer) waiting?.resolve(answer.ok);
    else waiting?.reject(new Error(`${this.name}: ${answer.error}`));
  }

  #ended(why: string): void {
    const error = new Error(`${this.name}: ${why}\n${this.#complaints}`);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
