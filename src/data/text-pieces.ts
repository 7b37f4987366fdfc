/** @file Texts longer than the limit become several, where a pair would be left out or cut. */
import type { Content, TextContent } from "./content.ts";
import { cutIds, cutText } from "./cut-text.ts";
import { type TokeniseOptions, tokenise } from "./tokenise.ts";

/** What is needed of a record. */
interface Readable {
  readonly where: string;
  readonly content: Content;
}

/**
 * The record itself, or for a text without a prompt (a document) that has more tokens than `maxLength` one record for
 * each piece of it. Conversations and replies to prompts stay whole.
 * @throws InputError as `tokenise`
 */
export function textPieces<R extends Readable>(record: R, options: TokeniseOptions): R[] {
  const { content } = record;
  const { maxLength = Number.POSITIVE_INFINITY } = options;
  if (content.prompt.length > 0 || maxLength === Number.POSITIVE_INFINITY) return [record];
  if (content.kind === "ids") {
    const [ids = []] = content.replies;
    if (ids.length <= maxLength) return [record];
    return cutIds(ids, maxLength).map((window) => ({
      ...record,
      content: { ...content, replies: [window] },
    }));
  }
  const [text = ""] = content.replies;
  const { encoder } = options;
  const added = specialTokens(record.where, options);
  // A token stands for at least one byte.
  const surelyFits = Buffer.byteLength(text) + added <= maxLength;
  if (content.chat !== undefined || encoder === undefined || surelyFits) return [record];
  const count = (part: string) => encoder.encode(part, { addSpecialTokens: false }).length;
  const pieces = cutText(text, count, Math.max(1, maxLength - added));
  return pieces.map((piece) => ({ ...record, content: { ...content, replies: [piece] } }));
}

/** How many tokens a text has beyond its own: BOS, EOS. */
function specialTokens(where: string, options: TokeniseOptions): number {
  const { encoder } = options;
  if (encoder === undefined) return 0;
  const letter: TextContent = { kind: "text", prompt: "", replies: ["a"] };
  const [whole] = tokenise(letter, where, { ...options, maxLength: undefined }).sequences;
  return (whole?.length ?? 0) - encoder.encode("a", { addSpecialTokens: false }).length;
}
