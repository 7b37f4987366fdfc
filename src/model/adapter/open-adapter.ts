/** @file Reads an adapter in PEFT's layout, ours or PEFT's own, for the model that it was made on. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors.ts";
import { TEMPLATE_FILE } from "../chat/template.ts";
import type { ModelFolder, OpenFolderOptions } from "../model-folder.ts";
import type { InputRecipe } from "../recipe.ts";
import { type Checkpoint, openCheckpoint, type TensorInfo, toFloat32 } from "../safetensors/index.ts";
import { hashBase } from "./base-hash.ts";
import { type LoraPartSpec, loraParts, peftPrefix } from "./parts.ts";
import { type AdapterTask, CONFIG_FILE, parsePeftConfig } from "./peft-config.ts";
import { adapterHeadName, WEIGHTS_FILE } from "./save-adapter.ts";
import type { LoraSettings } from "./settings.ts";
import { type ReadAdapterKey, readAdapterKey } from "./stored-key.ts";

export interface AdapterPart extends LoraPartSpec {
  /** A [r, in] and B [out, r]. */
  readonly values: { readonly a: Float32Array; readonly b: Float32Array };
}

export interface Adapter {
  readonly dir: string;
  /** Undefined where its config does not say. */
  readonly task: AdapterTask | undefined;
  readonly settings: LoraSettings;
  readonly parts: readonly AdapterPart[];
  /** [H] */
  readonly head: Float32Array<ArrayBuffer> | undefined;
  /** How it reads texts; undefined for an adapter that is not ours: as its base does. */
  readonly recipe: InputRecipe | undefined;
  /** What of the recipe is not understood; always empty unless that was asked for. */
  readonly recipeProblems: readonly string[];
  /** Of an implicit reward: how it is made of log-probabilities. */
  readonly reward: Readonly<Record<string, unknown>> | undefined;
  /** The file of its own chat template, where it has one. */
  readonly chatTemplate: string | undefined;
}

/**
 * All of an adapter's values, on the host.
 * @throws InputError where a setting is not implemented, where a tensor is missing, has a wrong shape or stands for
 * nothing, and where the base is not the one that the adapter was trained on
 */
export async function openAdapter(
  dir: string,
  base: ModelFolder,
  { ignoreRecipeMismatch = false }: OpenFolderOptions = {},
): Promise<Adapter> {
  await checkAdapterFolder(dir);
  const file = join(dir, CONFIG_FILE);
  const { task, settings, baseName } = parsePeftConfig(await readJson(file), file);
  await using weights = await openCheckpoint(join(dir, WEIGHTS_FILE));
  const key = readAdapterKey(weights.metadata, join(dir, WEIGHTS_FILE));
  const lmHead = task !== "SEQ_CLS";
  if (key !== undefined) await checkBase(dir, base, key, baseName, lmHead);
  const problems = key?.problems ?? [];
  if (problems.length > 0 && !ignoreRecipeMismatch) throw new InputError(problems.join("\n"));
  const where = `${file}: target_modules`;
  const specs = loraParts(base.config, settings, { lmHead, where, everyTarget: false });
  await checkTensors(dir, base, specs, weights);
  const template = join(dir, TEMPLATE_FILE);
  return {
    dir,
    task,
    settings,
    parts: await readParts(dir, specs, weights),
    head: await readHead(dir, base, weights),
    recipe: key?.recipe,
    recipeProblems: problems,
    reward: key?.reward,
    chatTemplate: (await stat(template).catch(() => undefined))?.isFile() ? template : undefined,
  };
}

async function checkBase(
  dir: string,
  base: ModelFolder,
  { baseSha256 }: ReadAdapterKey,
  baseName: string | undefined,
  lmHead: boolean,
): Promise<void> {
  // A CAUSAL_LM adapter was hashed with the head; a base without one is another anyway.
  const sha256 = await hashBase(base, { lmHead });
  if (sha256 === baseSha256) return;
  throw new InputError(
    `${dir} was trained on another base than ${base.dir}: its weights have SHA-256 ${baseSha256.slice(0, 12)}..., these ${sha256.slice(0, 12)}...; give the base that it was trained on${baseName === undefined ? "" : `, then called ${baseName}`}: --model DIR`,
  );
}

/** Neither a tensor too few nor one too many, but for copies of the base's own: PEFT adds those of a vocabulary head. */
async function checkTensors(
  dir: string,
  base: ModelFolder,
  specs: readonly LoraPartSpec[],
  weights: Checkpoint,
): Promise<void> {
  const wanted = specs.flatMap(({ a, b }) => [a.name, b.name]);
  const missing = wanted.filter((name) => !weights.tensors.has(name));
  if (missing.length > 0)
    throw new InputError(
      `${join(dir, WEIGHTS_FILE)} lacks ${missing.length} of the adapter's tensors: ${some(missing)}`,
    );
  const known = new Set([...wanted, adapterHeadName]);
  const extra: string[] = [];
  for (const info of weights.tensors.values())
    if (!known.has(info.name) && !(await isCopy(info, weights, base))) extra.push(info.name);
  if (extra.length > 0)
    throw new InputError(
      `${join(dir, WEIGHTS_FILE)} has ${extra.length} tensors that ${CONFIG_FILE} and the base give no place to: ${some(extra)}; leaving them out would give wrong rewards`,
    );
}

async function isCopy(info: TensorInfo, weights: Checkpoint, { checkpoint }: ModelFolder): Promise<boolean> {
  const name = info.name.replace(peftPrefix, "").replace(".base_layer.", ".");
  const own = checkpoint.tensors.get(name);
  if (own === undefined || own.shape.join() !== info.shape.join()) return false;
  const values = toFloat32(await checkpoint.read(own), own.dtype);
  return toFloat32(await weights.read(info), info.dtype).every((value, i) => Object.is(value, values[i]));
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => name.replace(peftPrefix, ""));
  return `${shown.join(", ")}${names.length > 5 ? ", ..." : ""}`;
}

async function readParts(
  dir: string,
  specs: readonly LoraPartSpec[],
  weights: Checkpoint,
): Promise<AdapterPart[]> {
  const parts: AdapterPart[] = [];
  for (const spec of specs) {
    const a = await readTensor(dir, weights, spec.a.name, [spec.a.rows, spec.a.cols]);
    const b = await readTensor(dir, weights, spec.b.name, [spec.b.rows, spec.b.cols]);
    parts.push({ ...spec, values: { a, b } });
  }
  return parts;
}

async function readHead(dir: string, { config }: ModelFolder, weights: Checkpoint) {
  if (!weights.tensors.has(adapterHeadName)) return undefined;
  return readTensor(dir, weights, adapterHeadName, [1, config.hiddenSize]);
}

async function readTensor(
  dir: string,
  weights: Checkpoint,
  name: string,
  shape: readonly number[],
): Promise<Float32Array<ArrayBuffer>> {
  const info: TensorInfo | undefined = weights.tensors.get(name);
  if (info === undefined) throw new Error(`The adapter has no ${name}`);
  if (info.shape.length !== shape.length || info.shape.some((n, i) => n !== shape[i])) {
    throw new InputError(
      `${join(dir, WEIGHTS_FILE)}: tensor ${name} has shape [${info.shape.join(", ")}]; the base and ${CONFIG_FILE} ask for [${shape.join(", ")}]`,
    );
  }
  return toFloat32(await weights.read(info), info.dtype);
}

async function checkAdapterFolder(dir: string): Promise<void> {
  const has = async (name: string) => (await stat(join(dir, name)).catch(() => undefined))?.isFile() === true;
  if ((await stat(dir).catch(() => undefined))?.isDirectory() !== true)
    throw new InputError(
      `There is no folder ${dir}; give an adapter's, with ${CONFIG_FILE} and ${WEIGHTS_FILE} in it`,
    );
  if (!(await has(CONFIG_FILE)))
    throw new InputError(
      `${dir} has no ${CONFIG_FILE}: it is no adapter in PEFT's layout${(await has("config.json")) ? "; a whole model goes by --model" : ""}`,
    );
  if (await has(WEIGHTS_FILE)) return;
  if (await has("adapter_model.bin"))
    throw new InputError(
      `${dir} has only adapter_model.bin, a format that can run code when it is read; load it with PEFT once and save it with safe_serialization=True`,
    );
  throw new InputError(`${dir} has no ${WEIGHTS_FILE}`);
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file} is no JSON: ${error instanceof Error ? error.message : error}`);
  }
}
