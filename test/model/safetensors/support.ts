/** @file Safetensors files made by hand for the tests, independently of the writer under test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { InputError } from "../../../src/errors.ts";

/** A file's bytes: length prefix, this header as it is, and `dataBytes` bytes counting up from 0. */
export function fileOf(header: string | Uint8Array, dataBytes = 0): Uint8Array<ArrayBuffer> {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.byteLength), true);
  bytes.set(json, 8);
  for (let i = 0; i < dataBytes; i++) bytes[8 + json.byteLength + i] = i % 256;
  return bytes;
}

/** A header's entry as JSON. */
export function entry(dtype: string, shape: readonly number[], begin: number, end: number): string {
  return JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
}

/** A folder for this test file, removed at its end; returns a function that names paths in it. */
export function temporaryFolder(): (...parts: string[]) => string {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rmtrain-safetensors-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return (...parts) => join(folder, ...parts);
}

/** Checks that an action fails with an InputError (and not with a crash) whose message has all these parts. */
export async function expectInputError(action: () => unknown, ...parts: string[]): Promise<void> {
  const error = await failureOf(action);
  expect(error).toBeInstanceOf(InputError);
  for (const part of parts) expect(String(error)).toContain(part);
}

/** What an action throws; a test failure when it doesn't. */
export async function failureOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  return expect.fail("nothing was thrown");
}
