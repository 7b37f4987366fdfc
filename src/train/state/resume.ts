/** @file `--resume`: which saved state a run goes on from. Nothing is written here. */
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../../errors.ts";
import { checkOut } from "../out-folder.ts";
import { readState } from "./checkpoint.ts";
import { type FoundState, newestState, stepOf } from "./folder.ts";

/** The run's folder that `--resume DIR` means: DIR, or the one that holds the state DIR. */
export function runFolder(dir: string): string {
  return stepOf(basename(resolve(dir))) === undefined ? dir : dirname(resolve(dir));
}

/**
 * @param wanted a run's folder, one of its states, or "auto": the newest complete state in `out`, else none
 * @returns undefined: the run begins at its first step
 * @throws InputError where there is no such state, or where `out` holds something else
 */
export async function findState(
  wanted: string | undefined,
  out: string,
  note: (text: string) => void,
): Promise<FoundState | undefined> {
  if (wanted === undefined) {
    await checkOut(out);
    return undefined;
  }
  if (wanted !== "auto") return await namedState(wanted, out, note);
  const newest = await newestState(out, note);
  if (newest !== undefined) return newest;
  await checkOut(out, "begun");
  note(`--resume auto: no saved state in ${out}; the run begins at the first step`);
  return undefined;
}

async function namedState(dir: string, out: string, note: (text: string) => void): Promise<FoundState> {
  const run = runFolder(dir);
  if (resolve(run) !== resolve(out))
    throw new InputError(`--resume ${dir} goes on in ${run}; leave out --out ${out}`);
  const found = await stat(dir).catch(() => undefined);
  if (found === undefined) throw new InputError(`--resume ${dir}: there is no such folder`);
  if (run !== dir) return { folder: join(out, basename(resolve(dir))), saved: await readState(dir) };
  const newest = await newestState(out, note);
  if (newest !== undefined) return newest;
  throw new InputError(
    `--resume ${dir}: there is no complete training state (checkpoint-N) in it; \`--resume auto --out ${dir}\` begins the run again`,
  );
}
