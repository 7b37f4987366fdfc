/**
 * @file One conversation and the ways it goes on, as prompt and replies in text. Follows TRL's `apply_chat_template`
 * (trl/data_utils.py): the prompt is rendered with the generation prompt, prompt and reply together without it, and
 * the reply is what the second text has beyond the first. Where the template writes the turns of the prompt in
 * another way once a reply follows, TRL stops; here the texts' common beginning is the prompt.
 */
import type { ChatContent, Message } from "../../data/content.ts";

/** How the prompt's text was found. "cut": neither way of rendering the prompt alone begins the whole text. */
export type PromptKind = "generation-prompt" | "plain" | "cut";

export interface RenderedChat {
  readonly prompt: string;
  readonly replies: readonly string[];
  readonly promptKind: PromptKind;
  /** What the template writes after the last reply's own text; undefined where that can't be told. */
  readonly ending?: string;
}

/** Gives the text of messages. */
export type RenderMessages = (variables: Readonly<Record<string, unknown>>) => string;

/** @throws what `render` throws */
export function renderConversation(chat: ChatContent, render: RenderMessages): RenderedChat {
  const text = (messages: readonly Message[], add_generation_prompt: boolean) =>
    render({
      documents: null,
      ...chat.templateKwargs,
      messages,
      tools: chat.tools ?? null,
      add_generation_prompt,
    });
  const whole = chat.replies.map((reply) => text([...chat.prompt, ...reply], false));
  const { prompt, promptKind } = sharedPrompt(chat, whole, (generation) => text(chat.prompt, generation));
  const ending = endingOf(chat, whole);
  return {
    prompt,
    replies: whole.map((full) => full.slice(prompt.length)),
    promptKind,
    ...(ending === undefined ? {} : { ending }),
  };
}

function sharedPrompt(
  { prompt }: ChatContent,
  whole: readonly string[],
  render: (generation: boolean) => string,
): { prompt: string; promptKind: PromptKind } {
  if (prompt.length === 0) return { prompt: "", promptKind: "plain" };
  const begins = (text: string) => whole.every((full) => full.startsWith(text));
  // After a finished answer no generation prompt follows: the reply begins with another turn.
  if (prompt.at(-1)?.role !== "assistant") {
    const open = render(true);
    if (begins(open)) return { prompt: open, promptKind: "generation-prompt" };
  }
  const plain = render(false);
  if (begins(plain)) return { prompt: plain, promptKind: "plain" };
  return { prompt: commonPrefix(whole.length > 1 ? whole : [plain, ...whole]), promptKind: "cut" };
}

/** The text after the last message's content, where all replies agree. */
function endingOf({ replies }: ChatContent, whole: readonly string[]): string | undefined {
  const endings = replies.map((reply, i) => {
    const content = reply.at(-1)?.content;
    const own = typeof content === "string" ? content.trim() : "";
    const full = whole[i] ?? "";
    const at = own === "" ? -1 : full.lastIndexOf(own);
    return at < 0 ? undefined : full.slice(at + own.length);
  });
  const known = endings.filter((ending) => ending !== undefined);
  return known.every((ending) => ending === known[0]) ? known[0] : undefined;
}

/** Never cuts a surrogate pair in two. */
export function commonPrefix(texts: readonly string[]): string {
  const [first = "", ...others] = texts;
  let length = first.length;
  for (const text of others) {
    let n = 0;
    while (n < length && first.charCodeAt(n) === text.charCodeAt(n)) n++;
    length = n;
  }
  const inPair = /[\uD800-\uDBFF]/.test(first.charAt(length - 1));
  return first.slice(0, inPair ? length - 1 : length);
}
