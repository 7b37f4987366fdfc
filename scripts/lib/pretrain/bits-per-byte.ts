/** @file How well a causal LM predicts a text: cross-entropy in bits per byte of UTF-8, on our own engine. */
import { pack, planBatches } from "../../../src/data/pack.ts";
import { InputError } from "../../../src/errors.ts";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { gatherRows } from "../../../src/kernels/embedding.ts";
import { tokenLogps } from "../../../src/kernels/token-logps.ts";
import type { Backbone } from "../../../src/model/backbone.ts";
import { loadLmHead } from "../../../src/model/lm-head.ts";
import { loadBackbone } from "../../../src/model/load.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import { replyEntries } from "../../../src/model/reply-entries.ts";
import { loadTokenizer } from "../../../src/model/tokenizer.ts";
import { WeightLoader } from "../../../src/model/weight-loader.ts";
import { readTensor, type Tensor, uploadTensor } from "../../../src/tensor/tensor.ts";

export interface BitsPerByte {
  /** -sum log2 p(token | tokens before it) / bytes */
  readonly bitsPerByte: number;
  /** Nats. */
  readonly perToken: number;
  readonly tokens: number;
  readonly bytes: number;
}

export interface WindowOptions {
  /** Tokens that the model sees at once, the BOS included. */
  readonly length: number;
  /** Tokens before a predicted one, at least (at the text's beginning fewer). */
  readonly context: number;
}

/** A window of a text's ids, of which the tokens from `start` on are predicted. */
export interface Window {
  readonly ids: Int32Array;
  readonly start: number;
}

/**
 * Windows that predict every id once. Each begins with the BOS, as the model's texts do; the first goes without context
 * before it, the others repeat `context` - 1 ids or a few more (in the last one, which reaches back until it is full).
 * @param ids without a BOS
 */
export function windowsOf(ids: Int32Array, bos: number, { length, context }: WindowOptions): Window[] {
  if (!(context >= 1 && context < length)) throw new Error(`a context of ${context} in windows of ${length}`);
  const windows: Window[] = [];
  const room = length - 1;
  for (let done = 0; done < ids.length; ) {
    const end = Math.min(ids.length, done === 0 ? room : done + length - context);
    const begin = Math.max(0, end - room);
    const window = new Int32Array(1 + end - begin);
    window[0] = bos;
    window.set(ids.subarray(begin, end), 1);
    windows.push({ ids: window, start: 1 + done - begin });
    done = end;
  }
  return windows;
}

/**
 * @param dir folder of a causal LM with a tokenizer
 * @throws InputError where its tokenizer names no BOS
 */
export async function bitsPerByte(
  gpu: Gpu,
  dir: string,
  texts: readonly string[],
  options: WindowOptions,
): Promise<BitsPerByte> {
  await using folder = await openModelFolder(dir);
  const tokenizer = await loadTokenizer(dir);
  const bos = tokenizer.bosTokenId;
  if (bos === undefined) throw new InputError(`${dir}: the tokenizer names no BOS, with which windows begin`);
  const { backbone } = await loadBackbone(gpu, folder);
  const loader = new WeightLoader(gpu, folder.checkpoint, folder.config);
  const head = await loadLmHead(loader, backbone);
  try {
    const all = texts.map((text) => tokenizer.encode(text, { addSpecialTokens: false }));
    const windows = all.flatMap((ids) => windowsOf(ids, bos, options));
    const nats = await negativeLogProb(backbone, head.weight, windows);
    const tokens = all.reduce((sum, ids) => sum + ids.length, 0);
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    return { bitsPerByte: nats / Math.LN2 / bytes, perToken: nats / tokens, tokens, bytes };
  } finally {
    if (head.owned) gpu.release(head.weight.buffer);
    backbone.release();
  }
}

const batchTokens = 4096;

/** The sum over all predicted tokens, in float64. */
async function negativeLogProb(
  backbone: Backbone,
  weight: Tensor,
  windows: readonly Window[],
): Promise<number> {
  let nats = 0;
  const items = windows.map(({ ids }) => ({ sequences: [ids] }));
  for (const indices of planBatches(items, batchTokens)) {
    const own = indices.map((i) => windows[i]!);
    for (const logp of await logpsOf(backbone, weight, own)) nats -= logp;
  }
  return nats;
}

function logpsOf(backbone: Backbone, weight: Tensor, windows: readonly Window[]): Promise<Float32Array> {
  const { gpu } = backbone;
  using _scope = gpu.scope();
  const batch = pack(windows.map(({ ids }) => ({ sequences: [ids] })));
  const hidden = backbone.forward(batch, batchTokens);
  const entries = replyEntries(
    batch,
    windows.map(({ start }) => start),
  );
  const rows = gatherRows(gpu, hidden, uploadTensor(gpu, entries.rows, 1, "predicting rows"));
  const targets = uploadTensor(gpu, entries.targets, 1, "predicted tokens");
  return readTensor(gpu, tokenLogps(gpu, rows, weight, targets).logps);
}
