/** @file Records of text or ids, for tests that have no conversations. */
import type { Content, RecordContent } from "../../src/data/content.ts";

export function plainRecord<R extends { readonly where: string; readonly content: RecordContent }>(
  record: R,
): R & { readonly content: Content } {
  const { content, where } = record;
  if (content.kind === "chat") throw new Error(`${where}: a conversation`);
  return { ...record, content };
}
