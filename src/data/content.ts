/** @file What the model is to read: one prompt and its replies, as text, as token ids or as a conversation. */

/** One prompt ("" where there is none) and its k replies: 1 for a text to score, 2 for a pair (chosen first). */
export interface TextContent {
  readonly kind: "text";
  readonly prompt: string;
  readonly replies: readonly string[];
  /** The conversation that a chat template turned into this text, which spells out its special tokens itself. */
  readonly chat?: ChatContent;
}

/** The same as token ids, which are taken as they are: `prompt` is put before each reply, nothing is added. */
export interface IdContent {
  readonly kind: "ids";
  readonly prompt: readonly number[];
  readonly replies: readonly (readonly number[])[];
}

/** What the model can be given. */
export type Content = TextContent | IdContent;

/** One turn of a conversation, with whatever else the template may look at (name, tool_calls, ...). */
export interface Message {
  readonly role: string;
  readonly content: unknown;
  readonly [field: string]: unknown;
}

/** A conversation and the ways it goes on. A chat template makes text of it before anything else reads it. */
export interface ChatContent {
  readonly kind: "chat";
  /** What all replies share: at least the first message, and never up to an assistant's message. */
  readonly prompt: readonly Message[];
  /** Each of at least one message. */
  readonly replies: readonly (readonly Message[])[];
  readonly tools?: readonly unknown[];
  /** Further variables of the template (`chat_template_kwargs`). */
  readonly templateKwargs?: Readonly<Record<string, unknown>>;
}

/** What a record may hold. */
export type RecordContent = Content | ChatContent;
