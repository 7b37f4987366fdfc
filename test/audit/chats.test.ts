/** @file Conversations: training, the recipe that it leaves, and scoring that follows it, bit for bit. */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Message } from "../../src/data/content.ts";
import { RewardModel, readScoreLines, ScoreReport, scoreStream } from "../../src/index.ts";
import { chatTemplate } from "../../src/model/chat/template.ts";
import { CHATML, HEADERS } from "../model/chat/templates.ts";
import { temporaryFolder } from "../model/tiny-model.ts";
import { realModel } from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";
import { jsonl, run } from "../train/records.ts";

const gpu = useGpu();
const user = (content: string): Message => ({ role: "user", content });
const assistant = (content: string): Message => ({ role: "assistant", content });

/** Pairs with the prompt apart, or shared by both sides. */
function pairs(begin: number, count: number) {
  return Array.from({ length: count }, (_, i) => {
    const prompt = [user(`What did Lily see at ${begin + i}?`)];
    const [chosen, rejected] = [[assistant("A big red ball.")], [assistant(`No ${i % 3}.`)]];
    return i % 2 === 0
      ? { prompt, chosen, rejected }
      : { chosen: [...prompt, ...chosen], rejected: [...prompt, ...rejected] };
  });
}

function file(text: string): string {
  const path = join(temporaryFolder(), "t.jinja");
  writeFileSync(path, text);
  return path;
}

const model = realModel("stories260k");
const trained = (template: string, options: object = {}) =>
  run(gpu(), {
    model,
    data: jsonl(pairs(0, 20)),
    evalData: jsonl(pairs(20, 6), "held.jsonl"),
    chatTemplate: file(template),
    epochs: 1,
    ...options,
  });

async function score(loaded: RewardModel, path: string) {
  const report = new ScoreReport(loaded);
  const lines = [];
  for await (const window of scoreStream(loaded, readScoreLines(path), report)) lines.push(...window);
  return { lines, report };
}

it("conversations score as in the closing evaluation, as pairs, as {messages} and from the library", async () => {
  const { out, rewards, notes } = await trained(CHATML);
  expect(notes.join("\n")).toMatch(/26 conversations are rendered by the chat template .*t\.jinja/);
  const stored = JSON.parse(readFileSync(join(out, "config.json"), "utf8")).rmtrain;
  expect(stored).toMatchObject({
    version: 2,
    add_eos: false,
    chat: { template_sha256: chatTemplate(CHATML, "").sha256, add_eos: false },
    truncation: { side: "drop", max_length: 512 },
  });
  expect(readFileSync(join(out, "chat_template.jinja"), "utf8")).toBe(CHATML);

  using loaded = await RewardModel.load(gpu(), out);
  expect(loaded.tokenizer?.decode(stored.chat.end_of_turn)).toBe("<|im_end|>\n");
  const held = pairs(20, 6);
  const { lines, report } = await score(loaded, jsonl(held));
  expect(lines.map((l) => "reward_chosen" in l && [l.reward_chosen, l.reward_rejected])).toEqual(
    rewards.map((r) => [r.chosen, r.rejected]),
  );
  expect(report.warnings()).toEqual([]);

  const whole = held.map((r) => [...(r.prompt ?? []), ...r.chosen]);
  const messages = await score(loaded, jsonl(whole.map((m) => ({ messages: m }))));
  expect(messages.lines.map((l) => "reward" in l && l.reward)).toEqual(rewards.map((r) => r.chosen));
  expect(await loaded.score(whole)).toEqual(rewards.map((r) => r.chosen));

  // The same texts, rendered elsewhere: the tokenizer's own BOS is the only difference; without an end, a warning.
  const text = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHo";
  const plain = await score(loaded, jsonl([{ text }, { text: `${text}<|im_end|>\n` }]));
  expect(plain.report.summary().missing_end_of_turn).toBe(1);
  expect(plain.report.warnings()[0]).toMatch(
    /^1 texts do not end in the end of turn \(ids .*"<\|im_end\|>\\n"\)/,
  );
});

it("refuses a folder that would be read otherwise, and says what differs when told to go on", async () => {
  const { out, rewards } = await trained(CHATML);
  const changed = (change: (dir: string) => void) => {
    const dir = join(temporaryFolder(), "m");
    cpSync(out, dir, { recursive: true });
    change(dir);
    return dir;
  };
  const edit = (name: string, replace: (json: Record<string, unknown>) => object) => (dir: string) => {
    const path = join(dir, name);
    writeFileSync(path, JSON.stringify(replace(JSON.parse(readFileSync(path, "utf8")))));
  };
  const recipe = (fields: object) =>
    edit("config.json", (json) => ({ ...json, rmtrain: { ...(json.rmtrain as object), ...fields } }));
  const cases: [string, RegExp][] = [
    [
      changed((dir) => writeFileSync(join(dir, "chat_template.jinja"), `${CHATML}!`)),
      /chat template .* is not the one/,
    ],
    [
      changed((dir) => rmSync(join(dir, "chat_template.jinja"))),
      /the chat template \(SHA-256 .*\) is missing/,
    ],
    [
      changed(edit("tokenizer_config.json", (json) => ({ ...json, eos_token: "<unk>" }))),
      /the tokenizer's EOS is 0, it was 2/,
    ],
    [changed(recipe({ version: 9 })), /rmtrain\.version: written by another version/],
    [changed(recipe({ sauce: "hot" })), /sauce/],
  ];
  for (const [dir, message] of cases) {
    await expect(RewardModel.load(gpu(), dir)).rejects.toThrow(message);
    using loaded = await RewardModel.load(gpu(), dir, { ignoreRecipeMismatch: true });
    expect(loaded.mismatches.join("\n")).toMatch(message);
  }
  await expect(RewardModel.load(gpu(), out, { bos: "always" })).rejects.toThrow(
    "texts begin by the rule --bos always, they began by auto",
  );
  // The missing template, given again, is no difference.
  using again = await RewardModel.load(gpu(), cases[1]?.[0] ?? "", { chatTemplate: out });
  expect(again.mismatches).toEqual([]);
  expect(await again.score([[...pairs(20, 1)[0]!.prompt!, ...pairs(20, 1)[0]!.chosen]])).toEqual([
    rewards[0]?.chosen,
  ]);
});

it("the date that a template wrote is kept, and written again when scoring", async () => {
  const { out, rewards, notes } = await trained(HEADERS, { chatDate: "2024-02-29" });
  expect(notes.join("\n")).toContain("rendered as of 2024-02-29T00:00:00");
  expect(JSON.parse(readFileSync(join(out, "config.json"), "utf8")).rmtrain.chat.clock).toBe(
    "2024-02-29T00:00:00",
  );
  expect(JSON.parse(readFileSync(join(out, "run.json"), "utf8")).options.chat_date).toBe("2024-02-29");
  using loaded = await RewardModel.load(gpu(), out);
  const { lines } = await score(loaded, jsonl(pairs(20, 6)));
  expect(lines[0]).toMatchObject({ reward_chosen: rewards[0]?.chosen });
  await expect(RewardModel.load(gpu(), out, { chatDate: "2024-03-01" })).rejects.toThrow(
    "the chat template writes the date 2024-03-01T00:00:00, it was 2024-02-29T00:00:00",
  );
  // One BOS, which the template writes.
  const [rendered] = await loaded.chats.render([
    { where: "w", content: { kind: "chat", prompt: [user("a")], replies: [[assistant("b")]] } },
  ]);
  expect([...loaded.tokenise(rendered!.content, "w").sequences[0]!].slice(0, 2)).toEqual([
    1,
    expect.not.toBeOneOf([1]),
  ]);
});

it("conversations without a template are refused before any work", async () => {
  const error: unknown = await run(gpu(), { model, data: jsonl(pairs(0, 4)) }).catch((e: unknown) => e);
  expect(error).toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(
      /data\.jsonl:1: a conversation needs a chat template, and .*--chat-template FILE/,
    ),
  });
});

it("--eos-after-chat ends rendered texts in EOS; texts among conversations get theirs", async () => {
  const mixed = [...pairs(0, 10), { prompt: "Once", chosen: " upon", rejected: " a" }];
  const { out, dataset } = await trained(CHATML, { data: jsonl(mixed), eosAfterChat: true });
  const lastIds = dataset.train.examples.flatMap((p) => p.item.sequences.map((ids) => ids.at(-1)));
  expect(new Set(lastIds)).toEqual(new Set([2]));
  const stored = JSON.parse(readFileSync(join(out, "config.json"), "utf8")).rmtrain;
  expect(stored).toMatchObject({ add_eos: true, eos_token_id: 2, chat: { add_eos: true } });
  expect(existsSync(join(out, "chat_template.jinja"))).toBe(true);
});
