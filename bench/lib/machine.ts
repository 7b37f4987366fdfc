/** @file On what a benchmark ran: the line that stands above its tables. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import type { Gpu } from "../../src/gpu/gpu.ts";

const versionOf = (manifest: string) =>
  (JSON.parse(readFileSync(new URL(manifest, import.meta.url), "utf8")) as { version: string }).version;

/** Processor, adapter, versions and date, in one line of Markdown. */
export function machineLine(gpu: Gpu): string {
  const processors = cpus();
  const { description, device, vendor } = gpu.facts;
  return [
    `${processors.length} × ${processors[0]?.model.trim() ?? "unknown processor"}`,
    description || device || vendor,
    `rmtrain ${versionOf("../../package.json")}`,
    `webgpu ${versionOf("../../node_modules/webgpu/package.json")}`,
    `Node ${process.versions.node}`,
    new Date().toISOString().slice(0, 10),
  ].join("; ");
}
