/** @file A reply as its author wrote it: of a conversation the last message, without what a template puts around it. */
import type { Content } from "../content.ts";

/** Text or ids of the reply; undefined where a conversation's last message is no text (an image, a call of a tool). */
export function ownReply(content: Content, reply: number): string | readonly number[] | undefined {
  if (content.kind === "ids" || content.chat === undefined) return content.replies[reply];
  const message = content.chat.replies[reply]?.at(-1);
  if (message === undefined) return "";
  const { role: _, content: text, ...others } = message;
  // A turn that calls tools may have no text, and is not empty.
  return typeof text === "string" && (text.trim() !== "" || Object.keys(others).length === 0)
    ? text
    : undefined;
}
