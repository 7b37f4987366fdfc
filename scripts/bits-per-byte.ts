/**
 * @file Bits per byte of a causal LM on texts.
 * Run: npx tsx scripts/bits-per-byte.ts MODEL TEXT... [--length N] [--context N], where each TEXT is a UTF-8 file, plain
 * or .gz. A window has 512 tokens unless --length says other; a token is predicted with at least half of them before it.
 */
import { parseArgs } from "node:util";
import { openGpu } from "../src/gpu/gpu.ts";
import { bitsPerByte } from "./lib/pretrain/bits-per-byte.ts";
import { readText } from "./lib/pretrain/texts.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { length: { type: "string", default: "512" }, context: { type: "string" } },
});
const [model, ...files] = positionals;
if (model === undefined || files.length === 0) throw new Error("expected a model's folder and texts");
const length = Number(values.length);
const context = Number(values.context ?? Math.floor(length / 2));
using gpu = await openGpu();
const result = await bitsPerByte(gpu, model, await Promise.all(files.map(readText)), { length, context });
console.log(
  `${result.bitsPerByte.toFixed(4)} bits per byte, ${result.perToken.toFixed(4)} nats per token (${result.tokens} tokens, ${result.bytes} bytes)`,
);
