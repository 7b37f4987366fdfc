/** @file `rmtrain train`, the default command. */
import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { InputError, RmtrainError } from "../../errors.ts";
import { openGpu } from "../../kernels/open.ts";
import { savedSteps } from "../../train/state/folder.ts";
import { TrainingInterrupted } from "../../train/state/interrupted.ts";
import { NotFiniteError } from "../../train/state/not-finite.ts";
import { train } from "../../train/train.ts";
import { Interruptible } from "../interrupt.ts";
import { Tracker } from "../trackers/tracker.ts";
import { resumeCommand } from "./go-on.ts";
import { addDataOptions } from "./options/data.ts";
import { addInputOptions } from "./options/input.ts";
import { addLearningOptions } from "./options/learning.ts";
import { addLoraOptions } from "./options/lora.ts";
import { addLossOptions } from "./options/loss.ts";
import { addModelOption } from "./options/model.ts";
import { addOutputOptions } from "./options/output.ts";
import { addRunningOptions } from "./options/running.ts";
import { summary, TerminalReporter } from "./report.ts";
import { type Flags, resolveOptions } from "./resolve.ts";

export function register(program: Command): void {
  const command = program
    .command("train", { isDefault: true })
    .description(
      "train a reward model (or a language model as one) on preference pairs, single labels, ranked lists; or a language model on texts",
    );
  for (const add of [
    addModelOption,
    addDataOptions,
    addInputOptions,
    addLearningOptions,
    addLossOptions,
    addLoraOptions,
    addRunningOptions,
    addOutputOptions,
  ])
    add(command);
  command.action(run);
}

async function run(flags: Flags, command: Command): Promise<void> {
  const { options, before, resume } = await resolveOptions(flags, command);
  const { memoryBudget, json } = flags;
  using interruptible = new Interruptible();
  const tracker = trackerOf(flags, options.out, (text) => reporter.note(text));
  const armed = () =>
    interruptible.arm(() => reporter.note("Finishing the step and saving; interrupt again to stop at once"));
  const reporter = new TerminalReporter(process.stderr, before, armed, tracker);
  let failed = true;
  let close = () => {};
  const open = async () => {
    const gpu = await openGpu({ memoryBudget, precision: options.precision });
    close = () => gpu.close();
    const { description, software, precision } = gpu.facts;
    reporter.note(
      `Device: ${description}${software ? " (CPU)" : ""}${precision === "f32" ? "" : `, precision ${precision}`}`,
    );
    return gpu;
  };
  try {
    const { signal } = interruptible;
    const result = await train(open, options, reporter, { signal, resume });
    reporter.stop();
    failed = false;
    process.stdout.write(json ? `${JSON.stringify(asJson(result))}\n` : summary(result, options.groupBy));
  } catch (error) {
    if (!mayPass(error) || (await savedSteps(options.out)).length === 0) throw error;
    const text = `${error.message}\nGo on with:\n  ${resumeCommand(options.out, flags, command)}`;
    if (!(error instanceof TrainingInterrupted)) throw new RmtrainError(text, { cause: error });
    reporter.note(`rmtrain: ${text}`);
    process.exitCode = interruptible.exitCode ?? error.exitCode;
  } finally {
    reporter.stop();
    close();
    await tracker?.end(failed ? 1 : 0);
  }
}

/** What --report-to names. @throws InputError where it can't be used, before any work */
function trackerOf({ reportTo }: Flags, out: string, note: (text: string) => void): Tracker | undefined {
  return reportTo === "none" ? undefined : new Tracker(basename(resolve(out)), note);
}

/** Whether it may go well another time: after an interrupt, a full disk, a lost device. */
function mayPass(error: unknown): error is RmtrainError {
  if (!(error instanceof RmtrainError) || error instanceof InputError) return false;
  return !(error.cause instanceof NotFiniteError);
}

/** The result as plain data; rewards of held-out pairs included. */
function asJson(result: Awaited<ReturnType<typeof train>>) {
  const { dataset, rewards, evaluation, last, ...rest } = result;
  const plain = (of: typeof rewards) =>
    of.map((r) => ({ where: r.record.where, chosen: r.chosen, rejected: r.rejected }));
  return {
    ...rest,
    train: dataset.train.counts,
    eval: dataset.eval?.counts ?? null,
    evaluation: evaluation ?? null,
    rewards: plain(rewards),
    last: last === undefined ? null : { ...last, rewards: plain(last.rewards) },
  };
}
