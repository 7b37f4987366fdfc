/** @file Where results go: standard output, window by window, or a file that appears when it is complete. */
import { type FileHandle, open, stat } from "node:fs/promises";
import { RmtrainError } from "../errors.ts";
import { replaceFile } from "../model/atomic-file.ts";

/** Resolves when the text has been taken: false when nobody reads it any more, so that work can end. */
export type LineWriter = (text: string) => Promise<boolean>;

/**
 * Runs `produce` with a writer to `path`, or to standard output when it is "-". A file is replaced as a whole at the
 * end; when `produce` fails, it stays as it was.
 * @throws RmtrainError naming the path when the system refuses
 */
export async function withLineOutput<T>(
  path: string,
  produce: (write: LineWriter) => Promise<T>,
): Promise<T> {
  if (path === "-") return produce(standardOutput());
  let result: { readonly value: T } | undefined;
  const present = await stat(path).catch(() => undefined);
  // A device or a named pipe is written to; replacing it by a file would break it.
  if (present !== undefined && !present.isFile() && !present.isDirectory()) {
    await using handle = await open(path, "w");
    return await produce(appendTo(handle));
  }
  await replaceFile(path, async (handle) => {
    result = { value: await produce(appendTo(handle)) };
  });
  if (result === undefined) throw new Error("replaceFile did not call its writer");
  return result.value;
}

function appendTo(handle: FileHandle): LineWriter {
  return async (text) => {
    await handle.writeFile(text);
    return true;
  };
}

function standardOutput(): LineWriter {
  // The callback of write reports the failure; without a listener the same failure would end the process.
  process.stdout.on("error", () => {});
  return (text) =>
    new Promise((resolve, reject) => {
      process.stdout.write(text, (error) => {
        if (error == null) resolve(true);
        else if ("code" in error && error.code === "EPIPE") resolve(false);
        else reject(new RmtrainError(`can't write to standard output: ${error.message}`));
      });
    });
}
