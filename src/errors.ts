/**
 * @file The two kinds of failure that a user meets, told apart by the exit code: 2 for usage or bad input,
 * 1 for everything that failed although the input was right.
 */

/** A failure that is reported as one clear message, without a stack trace. Exit code 1. */
export class RmtrainError extends Error {
  /** What the process exits with when this reaches the command line. */
  readonly exitCode: 1 | 2 = 1;
  override name = "RmtrainError";
}

/**
 * The user's input or usage is at fault: a bad record, an unreadable checkpoint, an unknown option. Exit code 2.
 * The message names the file, the line or the tensor and says what to do.
 */
export class InputError extends RmtrainError {
  override readonly exitCode = 2;
  override name = "InputError";
}
