/** @file How a loaded checkpoint reads what it is given, and what of that is not as it was trained. */
import type { BosRule } from "../data/bos.ts";
import type { Message, RecordContent } from "../data/content.ts";
import { InputError } from "../errors.ts";
import type { Adapter } from "../model/adapter/open-adapter.ts";
import { type ChatChoice, type ChatReader, chatReader, chosenTemplate } from "../model/chat/chat-reader.ts";
import { clockOf } from "../model/chat/date.ts";
import type { ModelFolder } from "../model/model-folder.ts";
import type { InputRecipe } from "../model/recipe.ts";
import { recipeDifferences } from "../model/recipe-check.ts";
import type { FoundTokenizer } from "../model/tokenizer.ts";

export interface ModelInput {
  readonly recipe: InputRecipe;
  readonly chats: ChatReader;
  /** One line for each thing that differs from the training. */
  readonly mismatches: readonly string[];
}

/** What says how texts are read: a folder, and the chat template that goes before the folder's own. */
export type InputSource = Pick<ModelFolder, "dir" | "recipe" | "hasRecipe" | "recipeProblems"> & {
  readonly chatTemplate?: string | undefined;
};

/** As the adapter was trained to read; an adapter that does not say, as its base does. */
export function adaptedInput(folder: ModelFolder, adapter: Adapter): InputSource {
  const { dir, recipe, hasRecipe, recipeProblems } = folder;
  const { chatTemplate } = adapter;
  return adapter.recipe === undefined
    ? { dir, recipe, hasRecipe, recipeProblems, chatTemplate }
    : { dir, recipe: adapter.recipe, hasRecipe: true, recipeProblems: adapter.recipeProblems, chatTemplate };
}

/** @throws InputError where the choice names a template that isn't there */
export async function inputOf(
  source: InputSource,
  { tokenizer }: FoundTokenizer,
  choice: ChatChoice & { readonly bos?: BosRule | undefined },
): Promise<ModelInput> {
  const { dir, recipe, hasRecipe, recipeProblems } = source;
  const { bos = recipe.bos, chatDate = recipe.chat?.clock } = choice;
  const template = await chosenTemplate(
    dir,
    choice.chatTemplate === undefined ? withOwn(source, choice) : choice,
  );
  return {
    recipe: bos === undefined ? recipe : { ...recipe, bos },
    chats: chatReader(dir, tokenizer, template, chatDate),
    mismatches: [
      ...recipeProblems,
      ...recipeDifferences(recipe, tokenizer, template),
      ...(hasRecipe && choice.bos !== undefined && choice.bos !== (recipe.bos ?? "auto")
        ? [`texts begin by the rule --bos ${choice.bos}, they began by ${recipe.bos ?? "auto"}`]
        : []),
      ...(recipe.chat?.clock !== undefined &&
      chatDate !== undefined &&
      clockOf(chatDate) !== recipe.chat.clock
        ? [`the chat template writes the date ${clockOf(chatDate)}, it was ${recipe.chat.clock}`]
        : []),
    ],
  };
}

/** The source's own template, unless the choice is of one among the model's by name. */
const withOwn = ({ chatTemplate }: InputSource, choice: ChatChoice): ChatChoice =>
  choice.chatTemplateName === undefined ? { ...choice, chatTemplate } : choice;

/** @param implicit whether the checkpoint says that its rewards are made of log-probabilities */
export function noHead(dir: string, adapter: string | undefined, implicit = false): InputError {
  if (implicit)
    return new InputError(
      `${adapter ?? dir} was trained for rewards that are made of log-probabilities: --reward implicit gives them`,
    );
  return new InputError(
    adapter === undefined
      ? `${dir} has no reward head (score.weight). Train one with: rmtrain train --model ${dir} --data prefs.jsonl; or score with a random one: --init-head normal`
      : `The adapter ${adapter} has no reward head (base_model.model.score.weight): it was not trained to give rewards. To score with a random one: --init-head normal`,
  );
}

export function refusal(dir: string, mismatches: readonly string[]): InputError {
  return new InputError(
    `${dir}: the input would not be read as in training:\n${mismatches.map((line) => `  ${line}`).join("\n")}\n--ignore-recipe-mismatch scores all the same`,
  );
}

/** A text as it is; of a conversation, the last message is the reply. */
export function contentOf(input: string | readonly Message[]): RecordContent {
  return typeof input === "string"
    ? { kind: "text", prompt: "", replies: [input] }
    : { kind: "chat", prompt: input.slice(0, -1), replies: [input.slice(-1)] };
}
