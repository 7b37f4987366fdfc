/** @file Replies that say nothing. */
import { inEachSet, sideFinding, sidesWhere } from "./input.ts";
import { ownReply } from "./reply.ts";

/** No character but white space; for ids, no id; for a conversation, a last message without text or anything else. */
export const emptyReply = inEachSet((set) => {
  const empty = sidesWhere(set, ({ example, reply }) => isEmpty(ownReply(example.record.content, reply)));
  return sideFinding(
    "empty-reply",
    set,
    empty,
    (count) => `${count} have an empty reply: unless silence is what was compared, take them out`,
  );
});

function isEmpty(reply: string | readonly number[] | undefined): boolean {
  return typeof reply === "string" ? reply.trim() === "" : reply?.length === 0;
}
