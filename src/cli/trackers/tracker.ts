/** @file `--report-to`: metrics to an experiment tracker while the run goes on. A tracker that fails never stops a run. */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../../errors.ts";
import type { EvalLine, TrainLine } from "../../train/metrics.ts";
import type { RunFile } from "../../train/run-file.ts";
import type { TrackerMessage, TrackerReply } from "./messages.ts";

/** Trackers that have a client on npm; docs/trackers.md has a few lines for each of the others. */
export const trackers = ["none", "wandb"] as const;
export type TrackerName = (typeof trackers)[number];

const client = "@wandb/sdk@0.5.1";
/** How long the last lines may take to arrive, in ms. */
const patience = 30_000;

export class Tracker {
  readonly #process: ChildProcess;
  readonly #gone: Promise<void>;
  #told = false;

  /**
   * @param name of the run there
   * @param note takes a line for the user
   * @throws InputError where the client isn't installed or nobody is logged in
   */
  constructor(
    readonly name: string,
    readonly note: (text: string) => void,
  ) {
    checkReady();
    this.#process = startProcess();
    this.#gone = new Promise((resolve) => this.#process.once("exit", () => resolve()));
    this.#process.on("message", (reply: TrackerReply) => {
      if ("seen" in reply) this.note(`wandb: ${reply.seen}`);
      else this.#stopped(reply.problem);
    });
    this.#process.on("error", (error) => this.#stopped(error.message));
    this.#process.once("exit", (code) => {
      if (code !== 0) this.#stopped(`its process ended with exit code ${code}`);
    });
  }

  started({ options, base, data, versions, adapter }: RunFile): void {
    this.#send({ type: "start", name: this.name, config: { ...options, base, data, versions, adapter } });
  }

  /** Under the names that Hugging Face's trainers use there, so that runs of both lie in one chart. */
  logged(line: TrainLine | EvalLine): void {
    const values: Record<string, number> = { "train/global_step": line.step };
    for (const [name, value] of Object.entries(line)) {
      if (name === "step" || !Number.isFinite(value)) continue;
      values[name.startsWith("eval_") ? `eval/${name.slice(5)}` : `train/${name}`] = value;
    }
    this.#send({ type: "log", step: line.step, values });
  }

  /** Waits until everything has arrived, and not for ever. */
  async end(exitCode: number): Promise<void> {
    this.#send({ type: "end", exitCode });
    const late = setTimeout(() => {
      this.#stopped(`the last lines had not arrived after ${patience / 1000} s`);
      this.#process.kill("SIGKILL");
    }, patience);
    await this.#gone;
    clearTimeout(late);
  }

  #send(message: TrackerMessage): void {
    // A channel that has closed is told by the process's end.
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  #stopped(problem: string): void {
    if (this.#told) return;
    this.#told = true;
    this.note(`wandb: no more reports (${problem}). The run goes on; metrics.jsonl holds every line.`);
  }
}

function checkReady(): void {
  try {
    createRequire(import.meta.url).resolve("@wandb/sdk");
  } catch {
    throw new InputError(`--report-to wandb needs their client: npm install ${client} graphql`);
  }
  if (process.env.WANDB_API_KEY === undefined && !existsSync(join(homedir(), ".netrc")))
    throw new InputError("--report-to wandb: set WANDB_API_KEY, which https://wandb.ai/authorize shows");
}

/** Detached, so that a terminal's Ctrl-C doesn't reach it. In a checkout it is TypeScript, which needs a loader. */
function startProcess(): ChildProcess {
  const extension = extname(import.meta.url);
  return fork(fileURLToPath(new URL(`./wandb-process${extension}`, import.meta.url)), {
    execArgv: extension === ".ts" ? ["--import", import.meta.resolve("tsx")] : [],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    detached: true,
  });
}
