/**
 * @file The process in which a chat template runs. It may loop for ever: each message has a time limit, kept here, so
 * that no process is left behind when the parent is killed. It may fill its memory: this process alone dies of that.
 */
import { Script } from "node:vm";
import { type RenderedChat, renderConversation } from "./conversation.ts";
import { type CompiledTemplate, compile } from "./jinja/template.ts";
import type { RenderReply, RenderRequest, RenderStart } from "./protocol.ts";

Error.stackTraceLimit = 0; // the library throws to leave loops, and nobody reads its stacks

const workName = "renderChats";
const script = new Script(`${workName}()`);
let template: CompiledTemplate | undefined;

function answer({ chats }: RenderRequest, start: RenderStart): RenderReply {
  const rendered: RenderedChat[] = [];
  let at = -1;
  try {
    withTimeLimit(start.timeLimit, () => {
      template ??= compile(start.source, start.limits);
      const { render } = template;
      for (const chat of chats) {
        at++;
        rendered.push(
          renderConversation(chat, (variables) =>
            render({ ...start.specialTokens, ...variables }, start.clock),
          ),
        );
      }
    });
  } catch (error) {
    return { at, problem: problemOf(error, start.timeLimit) };
  }
  return { rendered, readClock: template?.readClock ?? false };
}

/** Only a script can be stopped; all that it calls is stopped with it. */
function withTimeLimit(timeout: number, work: () => void): void {
  Object.assign(globalThis, { [workName]: work });
  script.runInThisContext({ timeout });
}

function problemOf(error: unknown, timeLimit: number): string {
  if (!(error instanceof Error)) return String(error);
  const timedOut = "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
  return timedOut ? `it took longer than ${timeLimit / 1e3} s and was stopped` : error.message;
}

process.once("message", (start: RenderStart) => {
  process.on("message", (request: RenderRequest) => process.send?.(answer(request, start)));
});
