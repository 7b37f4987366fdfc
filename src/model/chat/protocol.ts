/** @file What the renderer and its process say to each other. */
import type { ChatContent } from "../../data/content.ts";
import type { RenderedChat } from "./conversation.ts";
import type { Limits } from "./jinja/interpreter.ts";

/** The first message: what is to be rendered with. */
export interface RenderStart {
  readonly source: string;
  /** bos_token and its kind. */
  readonly specialTokens: Readonly<Record<string, string>>;
  /** "YYYY-MM-DDTHH:MM:SS" */
  readonly clock: string;
  readonly limits: Limits;
  /** Milliseconds for one message. */
  readonly timeLimit: number;
}

export interface RenderRequest {
  readonly chats: readonly ChatContent[];
}

/** The texts, in order; or which of the chats could not be rendered, and why (at -1: the template itself). */
export type RenderReply =
  | { readonly rendered: readonly RenderedChat[]; readonly readClock: boolean }
  | { readonly at: number; readonly problem: string };
