/**
 * @file The process that talks to Weights & Biases through their client, @wandb/sdk. It is a process of its own because
 * that client prints to stdout, ends its process on Ctrl-C and throws on network errors where nobody can catch them.
 */
import type { TrackerMessage, TrackerReply } from "./messages.ts";

/** What is used of the client, which need not be installed. */
interface Client {
  init(options: Readonly<Record<string, unknown>>): Promise<Run>;
}

interface Run {
  log(values: Record<string, number>, step: number): void;
  finish(exitCode: number): Promise<void>;
  url(): string;
}

let run: Run | undefined;
/** Lines of one step are one row there: it waits until the next step begins. */
let row: { readonly step: number; readonly values: Record<string, number> } | undefined;

function flush(): void {
  if (row !== undefined) run?.log(row.values, row.step);
  row = undefined;
}

async function handle(message: TrackerMessage): Promise<void> {
  switch (message.type) {
    case "start": {
      const sdk: string = "@wandb/sdk";
      const { default: client } = (await import(sdk)) as { readonly default: Client };
      run = await client.init({
        project: process.env.WANDB_PROJECT ?? "rmtrain",
        name: process.env.WANDB_NAME ?? message.name,
        config: message.config,
        ...(process.env.WANDB_ENTITY === undefined ? {} : { entity: process.env.WANDB_ENTITY }),
      });
      return reply({ seen: run.url() });
    }
    case "log":
      if (row?.step !== message.step) flush();
      row = { step: message.step, values: { ...row?.values, ...message.values } };
      return;
    case "end":
      flush();
      await run?.finish(message.exitCode);
      process.exit(0);
  }
}

function reply(text: TrackerReply): void {
  process.send?.(text);
}

function fail(error: unknown): void {
  process.send?.({ problem: error instanceof Error ? error.message : String(error) }, () => process.exit(1));
}

let queue = Promise.resolve();
const take = (message: TrackerMessage) => {
  queue = queue.then(() => handle(message)).catch(fail);
};
process.on("uncaughtException", fail);
process.on("message", take);
// The trainer is gone without a word: killed.
process.on("disconnect", () => take({ type: "end", exitCode: 1 }));
