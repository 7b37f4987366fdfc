/** @file A model folder in Hugging Face's layout: config.json, safetensors, the input recipe. Nothing is on the device yet. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../errors.ts";
import { type ModelConfig, parseConfig } from "./config.ts";
import { resolveTensors } from "./families/tensors.ts";
import type { InputRecipe } from "./recipe.ts";
import { type Checkpoint, openCheckpoint } from "./safetensors/index.ts";
import { RECIPE_KEY, readRecipe } from "./stored-recipe.ts";

export interface ModelFolder extends AsyncDisposable {
  readonly dir: string;
  readonly config: ModelConfig;
  readonly recipe: InputRecipe;
  /** Whether config.json holds a recipe of ours; without one, texts are read as Hugging Face reads them. */
  readonly hasRecipe: boolean;
  /** What of the recipe is not understood and left out; always empty unless that was asked for. */
  readonly recipeProblems: readonly string[];
  readonly checkpoint: Checkpoint;
}

export interface OpenFolderOptions {
  /** Go on with what is understood of the recipe. Default: what isn't is an error. */
  readonly ignoreRecipeMismatch?: boolean;
}

/**
 * Opens a model folder; the caller closes it (`await using`).
 * @throws InputError naming the file and what to do
 */
export async function openModelFolder(
  dir: string,
  { ignoreRecipeMismatch = false }: OpenFolderOptions = {},
): Promise<ModelFolder> {
  await checkFolder(dir);
  await refuseAdapter(dir);
  const file = join(dir, "config.json");
  const config = parseConfig(await readJson(file), file);
  const { recipe, problems } = readRecipe(config.raw, file);
  if (problems.length > 0 && !ignoreRecipeMismatch) throw new InputError(problems.join("\n"));
  const checkpoint = await openCheckpoint(dir);
  checkTensors(dir, config, checkpoint);
  return {
    dir,
    config,
    recipe,
    hasRecipe: config.raw[RECIPE_KEY] !== undefined,
    recipeProblems: problems,
    checkpoint,
    [Symbol.asyncDispose]: () => checkpoint.close(),
  };
}

/** Before any device is opened: that the config's tensors are there. */
function checkTensors(dir: string, config: ModelConfig, { tensors }: Checkpoint): void {
  try {
    resolveTensors(config, tensors);
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${dir}: ${error.message}`) : error;
  }
}

async function checkFolder(dir: string): Promise<void> {
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory()) return;
  if (found !== undefined)
    throw new InputError(
      `${dir} is a file; give the model's folder, with config.json and *.safetensors in it`,
    );
  if (/^[\w.-]+\/[\w.-]+$/.test(dir)) {
    throw new InputError(
      `There is no folder ${dir}. If it is a model of the Hugging Face Hub, download it first:\n  hf download ${dir} --local-dir ${dir}`,
    );
  }
  throw new InputError(
    `There is no folder ${dir}; give a model's folder, with config.json and *.safetensors in it`,
  );
}

/** PEFT's layout holds no whole model. */
async function refuseAdapter(dir: string): Promise<void> {
  const has = async (name: string) => (await stat(join(dir, name)).catch(() => undefined))?.isFile() === true;
  if ((await has("config.json")) || !(await has("adapter_config.json"))) return;
  throw new InputError(
    `${dir} is a LoRA adapter, not a whole model: give the base that it was trained on, and it as --adapter ${dir} (or one checkpoint of both: rmtrain merge)`,
  );
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new InputError(
      `${file} cannot be read (${error instanceof Error ? error.message : error}); a model folder needs one`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file} is no JSON: ${error instanceof Error ? error.message : error}`);
  }
}
