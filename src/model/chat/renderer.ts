/**
 * @file Renders conversations by a template, bounded in time, memory and output: a template is a program from
 * elsewhere. It runs in a process of its own; a thread's memory limit doesn't hold, since V8 ends the whole process
 * when one large allocation doesn't fit (seen with replace() on 8 million characters).
 */
import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ChatContent } from "../../data/content.ts";
import { InputError } from "../../errors.ts";
import type { RenderedChat } from "./conversation.ts";
import { clockNow } from "./date.ts";
import type { RenderReply, RenderRequest, RenderStart } from "./protocol.ts";
import type { ChatTemplate } from "./template.ts";

export interface RendererOptions {
  /** bos_token, eos_token, ... as the template names them. Default: none. */
  readonly specialTokens?: Readonly<Record<string, string>>;
  /** What strftime_now reads, "YYYY-MM-DDTHH:MM:SS". Default: the local time now. */
  readonly clock?: string;
  /** For up to 64 conversations, in milliseconds. Default 10,000. */
  readonly timeLimit?: number;
  /** Longest text, in UTF-16 units. Default 16 Mi. */
  readonly textLimit?: number;
  /** Of the process's heap, in MiB. Default 512. */
  readonly heapLimit?: number;
}

export const defaultTimeLimit = 10_000;
export const defaultTextLimit = 2 ** 24;
export const defaultHeapLimit = 512;
const listLimit = 2 ** 20;
/** Conversations that go to the process at once. */
const batch = 64;

/** A conversation, and what messages call it. */
export interface ChatToRender {
  readonly where: string;
  readonly content: ChatContent;
}

export class ChatRenderer implements AsyncDisposable {
  /** "YYYY-MM-DDTHH:MM:SS", the same for all that is rendered. */
  readonly clock: string;
  readonly #process: ChildProcess;
  readonly #heapLimit: number;
  #readClock = false;
  #queue: Promise<unknown> = Promise.resolve();
  /** Why there is no process any more. */
  #ended: string | undefined;
  #onReply: (reply: RenderReply) => void = () => {};
  #onEnd: (problem: string) => void = () => {};

  constructor(
    readonly template: ChatTemplate,
    options: RendererOptions = {},
  ) {
    this.clock = options.clock ?? clockNow();
    this.#heapLimit = options.heapLimit ?? defaultHeapLimit;
    this.#process = startProcess(this.#heapLimit)
      .on("message", (reply: RenderReply) => this.#onReply(reply))
      .on("error", (error) => this.#end(`its process can't be run: ${error.message}`))
      .on("exit", (code, signal) => this.#end(this.#exitReason(code, signal)));
    const start: RenderStart = {
      source: template.source,
      specialTokens: options.specialTokens ?? {},
      clock: this.clock,
      limits: { text: options.textLimit ?? defaultTextLimit, list: listLimit },
      timeLimit: options.timeLimit ?? defaultTimeLimit,
    };
    this.#send(start);
    this.#idle(true);
  }

  /** Whether the template has read the clock: its texts are those of `clock`. */
  get readClock(): boolean {
    return this.#readClock;
  }

  /**
   * The texts of conversations, in order.
   * @throws InputError naming the template, the conversation and the reason
   */
  render(chats: readonly ChatToRender[]): Promise<RenderedChat[]> {
    const turn = this.#queue.then(() => this.#renderAll(chats));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #renderAll(chats: readonly ChatToRender[]): Promise<RenderedChat[]> {
    const rendered: RenderedChat[] = [];
    for (let begin = 0; begin < chats.length; begin += batch) {
      const some = chats.slice(begin, begin + batch);
      const reply = await this.#ask(some);
      if (!("rendered" in reply)) throw this.#failure(some[reply.at], reply.problem);
      this.#readClock ||= reply.readClock;
      for (const chat of reply.rendered) rendered.push(chat);
    }
    return rendered;
  }

  #ask(chats: readonly ChatToRender[]): Promise<RenderReply> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#onEnd = () => {};
        this.#idle(true);
      };
      this.#onReply = (reply) => {
        settle();
        resolve(reply);
      };
      this.#onEnd = (problem) => {
        settle();
        const [only] = chats.length === 1 ? chats : [];
        reject(this.#failure(only, only ? problem : `${problem}, at ${range(chats)}`));
      };
      if (this.#ended !== undefined) return this.#onEnd(this.#ended);
      this.#idle(false);
      const request: RenderRequest = { chats: chats.map((chat) => chat.content) };
      this.#send(request);
    });
  }

  /** A process that has gone is told by its exit, not by what could not be sent to it. */
  #send(message: RenderStart | RenderRequest): void {
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  #end(problem: string): void {
    this.#ended ??= problem;
    this.#onEnd(this.#ended);
  }

  #exitReason(code: number | null, signal: NodeJS.Signals | null): string {
    // V8 aborts where memory runs out; nothing else in there does.
    const outOfMemory = signal === "SIGABRT" || code === 134;
    return outOfMemory
      ? `it took more than ${this.#heapLimit} MiB of memory and was stopped`
      : `its process ended (${signal ?? `exit code ${code}`})`;
  }

  /** An idle process keeps ours from exiting no more. */
  #idle(idle: boolean): void {
    const { channel } = this.#process;
    if (idle) {
      this.#process.unref();
      channel?.unref();
    } else {
      this.#process.ref();
      channel?.ref();
    }
  }

  #failure(chat: ChatToRender | undefined, problem: string): InputError {
    const place = chat === undefined ? "" : `${chat.where}: `;
    return new InputError(`${place}chat template ${this.template.origin}: ${problem}`);
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#idle(false);
    this.#process.kill("SIGKILL");
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function range(chats: readonly ChatToRender[]): string {
  return `one of ${chats[0]?.where} to ${chats.at(-1)?.where}`;
}

/** In a checkout the process is TypeScript, which Node needs a loader for; in dist it is JavaScript. */
function startProcess(heapLimit: number): ChildProcess {
  const extension = extname(import.meta.url);
  const loader = extension === ".ts" ? ["--import", import.meta.resolve("tsx")] : [];
  return fork(fileURLToPath(new URL(`./render-process${extension}`, import.meta.url)), {
    execArgv: [`--max-old-space-size=${heapLimit}`, ...loader],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: process.platform === "win32" ? { SystemRoot: process.env.SystemRoot } : {},
  });
}
