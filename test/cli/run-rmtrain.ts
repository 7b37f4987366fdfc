/** @file The command as a process of its own: arguments and standard input in; exit code, stdout and stderr out. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import { compiled } from "../support/compiled.ts";

/** The command's script, compiled. */
export const main = join(compiled(), "cli/main.js");

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** @param env on top of this process's own */
export function spawnRmtrain(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env } });
}

export async function rmtrain(
  args: readonly string[],
  stdin = "",
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const child = spawnRmtrain(args, env);
  child.stdin.on("error", () => {}); // a command that refuses its arguments reads nothing
  child.stdin.end(stdin);
  return finished(child);
}

export async function finished(child: ChildProcessWithoutNullStreams): Promise<Finished> {
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  return { code, out, err };
}
