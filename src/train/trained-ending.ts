/** @file How the sequences ended that a checkpoint was trained on, as far as it says: by its recipe, or its template. */
import type { TrainedEnding } from "../data/checks/input.ts";
import { chatReader } from "../model/chat/chat-reader.ts";
import { findChatTemplate } from "../model/chat/template.ts";
import type { ModelFolder } from "../model/model-folder.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { endOfTurn } from "./training-recipe.ts";

/**
 * A checkpoint of ours says it in its recipe. Another one that comes with a chat template was trained on what the
 * template writes: what stands after a reply is found by rendering a small conversation.
 */
export async function trainedEnding(folder: ModelFolder, tokenizer?: Tokenizer): Promise<TrainedEnding> {
  if (!folder.hasRecipe)
    return tokenizer === undefined ? {} : { endOfTurn: await templateEnding(folder.dir, tokenizer) };
  const { addEos, eosTokenId, chat } = folder.recipe;
  return {
    ...(eosTokenId !== undefined && (addEos || chat?.addEos) ? { eosTokenId } : {}),
    ...(chat === undefined || addEos ? {} : { endOfTurn: chat.endOfTurn }),
  };
}

const greeting = [{ role: "user", content: "Good morning." }];
const answers = ["Thank you", "How are you?"].map((content) => [{ role: "assistant", content }]);

/** Empty where the folder has no template, or one that writes nothing there or can't write this. */
async function templateEnding(dir: string, tokenizer: Tokenizer): Promise<readonly number[]> {
  const template = await findChatTemplate(dir).catch(() => undefined);
  if (template === undefined) return [];
  await using chats = chatReader(dir, tokenizer, template);
  const rendered = await chats
    .render([{ where: dir, content: { kind: "chat", prompt: greeting, replies: answers } }])
    .catch(() => undefined);
  return rendered === undefined || chats.ending === undefined ? [] : endOfTurn(chats.ending, tokenizer);
}
