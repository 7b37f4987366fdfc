/** @file The versions of what a run's numbers depend on. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { z } from "zod";

const manifest = z.object({ version: z.string() });
const versionIn = (file: string | URL) => manifest.parse(JSON.parse(readFileSync(file, "utf8"))).version;

/** This package's own, such as "0.1.0". */
export const version = versionIn(new URL("../../package.json", import.meta.url));

/** By the names of npm; `webgpu` brings Dawn, the implementation of WebGPU. */
export function versions(): Readonly<Record<"rmtrain" | "webgpu" | "node", string>> {
  const { resolve } = createRequire(import.meta.url);
  return { rmtrain: version, webgpu: versionIn(resolve("webgpu/package.json")), node: process.versions.node };
}
