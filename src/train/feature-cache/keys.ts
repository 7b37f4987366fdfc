/**
 * @file What a feature is a function of, as hashes. A space is everything but the sequence: weights, architecture,
 * kernels, adapter. Within a space a row's key is its ids and where they are read. Batch invariance (DESIGN.md) makes
 * this enough: the sequences beside it, their order and the token budget change no bit.
 */
import { createHash } from "node:crypto";
import type { Gpu } from "../../gpu/gpu.ts";
import type { KernelSource } from "../../gpu/kernel-source.ts";
import * as kernels from "../../kernels/generated/index.ts";
import { choicesOfBits } from "../../kernels/variant-registry.ts";
import type { ModelConfig } from "../../model/config.ts";
import { versions } from "../versions.ts";

/** Goes up when the host's part of a forward pass, or the layout of the files, changes what rows mean. */
const generation = 1;

/** Bytes of a row's key: at 10^9 rows two different ones agree with a chance of 10^-21. */
export const keyBytes = 16;

/** What a row holds: hidden states, or the log-probability of a reply. */
export type RowContents = "features" | "reply log-probabilities";

/**
 * The space of a model on a device, in 32 hexadecimal digits.
 * @param weights content hash of the tensors that the rows depend on
 */
export function spaceOf(
  config: ModelConfig,
  weights: string,
  gpu: Pick<Gpu, "facts" | "variants">,
  contents: RowContents = "features",
): string {
  // What no layer reads: the head, special ids (sequences have them already), how config.json was spelled.
  const { architecture, tied, padTokenId, eosTokenId, bosTokenId, dtype, raw, ...decoder } = config;
  const { vendor, architecture: chip, device, description, software, subgroupMin, subgroupMax } = gpu.facts;
  const adapter = [vendor, chip, device, description, software, subgroupMin, subgroupMax];
  const parts = [
    generation,
    ...(contents === "features" ? [] : [contents]),
    versions(),
    kernelHash(),
    weights,
    sorted(decoder),
    adapter,
    [...gpu.facts.features].sort(),
    ...choicesOfBits(gpu),
    ...(gpu.facts.precision === "f32" ? [] : [gpu.facts.precision]),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** The key of one sequence, as a string of `keyBytes` latin1 characters. @param read index of the token that is read */
export function rowKey(ids: Int32Array, read: number): string {
  const hash = createHash("sha256").update(Int32Array.of(read));
  return hash.update(ids).digest().toString("latin1", 0, keyBytes);
}

/** Of every kernel's text, whichever ran: a few of them more than needed, none forgotten. */
function kernelHash(): string {
  const texts = Object.values<KernelSource>(kernels).map(({ name, source, headers, enables }) => [
    name,
    source,
    sorted(headers),
    enables,
  ]);
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}

const sorted = (object: object) => Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
