/** @file Hashes that Node and browsers both have. */
import type { KernelSource } from "../../gpu/kernel-source.ts";
import * as kernels from "../generated/index.ts";

/** In 64 hexadecimal digits. */
export async function sha256(text: string): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Of every kernel's text, whichever is tuned: a few of them more than needed, none forgotten. */
export function kernelHash(): Promise<string> {
  const texts = Object.values<KernelSource>(kernels).map(({ name, source, headers, enables }) => [
    name,
    source,
    Object.entries(headers).map(([header, choices]) => [header, Object.entries(choices)]),
    enables,
  ]);
  return sha256(JSON.stringify(texts));
}
