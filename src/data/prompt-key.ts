/** @file When two records have the same prompt. */
import type { Content } from "./content.ts";

/**
 * Equal for records with equal prompts, "" without one. Of a conversation the messages count, not their text: a
 * template may write them in another way for each reply.
 */
export function promptKey(content: Content): string {
  if (content.kind === "text" && content.chat !== undefined) {
    const { prompt, tools = null, templateKwargs = null } = content.chat;
    return prompt.length === 0 ? "" : JSON.stringify([prompt, tools, templateKwargs]);
  }
  return content.kind === "text" ? content.prompt : content.prompt.join();
}
