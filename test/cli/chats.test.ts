/** @file Conversations on the command line: train with a template, score what it has left, refuse what differs. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CHATML } from "../model/chat/templates.ts";
import { temporaryFolder } from "../model/tiny-model.ts";
import { realModel } from "../reference/goldens.ts";
import { jsonl } from "../train/records.ts";
import { rmtrain } from "./run-rmtrain.ts";

test("train --chat-template, then score {messages}; another template is refused, or told", async () => {
  const folder = temporaryFolder();
  const [out, template, other] = ["out", "t.jinja", "other.jinja"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(template, CHATML);
  writeFileSync(other, CHATML.replace("<|im_end|>", "<end>"));
  const say = (content: string) => ({ role: "assistant", content });
  const prompt = [{ role: "user", content: "Hi" }];
  const data = jsonl(
    Array.from({ length: 4 }, (_, i) => ({ prompt, chosen: [say(`yes ${i}`)], rejected: [say("no")] })),
  );
  const trained = await rmtrain([
    ...["train", "--model", realModel("stories260k"), "--data", data, "--eval-data", data],
    ...["--out", out, "--max-steps", "1", "--chat-template", template, "--json"],
  ]);
  expect([trained.code, trained.err]).toEqual([
    0,
    expect.stringContaining("8 conversations are rendered by"),
  ]);
  const rewards: { chosen: number }[] = JSON.parse(trained.out).rewards;

  const lines = jsonl(Array.from({ length: 4 }, (_, i) => ({ messages: [...prompt, say(`yes ${i}`)] })));
  const score = (...more: string[]) => rmtrain(["score", "--model", out, "--data", lines, ...more]);
  const scored = await score();
  expect(scored.code).toBe(0);
  const read = scored.out.trimEnd().split("\n");
  expect(read.map((line) => JSON.parse(line).reward)).toEqual(rewards.map((r) => r.chosen));

  const refused = await score("--chat-template", other);
  expect([refused.code, refused.out]).toEqual([2, ""]);
  expect(refused.err).toMatch(
    /other\.jinja .* is not the one it was trained with .*\n--ignore-recipe-mismatch/s,
  );
  const ignored = await score("--chat-template", other, "--ignore-recipe-mismatch");
  expect([ignored.code, ignored.err]).toEqual([
    0,
    expect.stringContaining("Not as in training: the chat template"),
  ]);
  expect(ignored.out).not.toBe(scored.out);
}, 180_000);
