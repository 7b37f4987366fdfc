/** @file `rmtrain trace` as a process. */
import { beforeAll, expect, it } from "vitest";
import { storiesReward } from "../model/stories-reward.ts";
import { rmtrain } from "./run-rmtrain.ts";

let model = "";
beforeAll(async () => {
  model = await storiesReward(false);
});

it("one line for each prefix, control characters escaped; the last one is the reward of the text", async () => {
  const text = "I love\nthe \u001b[1mcat.";
  const { code, out } = await rmtrain(["trace", "--model", model, text]);
  expect(code).toBe(0);
  const lines = out.trimEnd().split("\n");
  for (const line of lines) expect(line).toMatch(/^Reward: -?\d+\.\d{3} \| Substring: /);
  expect(lines[0]).toMatch(/Substring: $/);
  expect(lines.at(-1)).toMatch(/Substring: ?I love\\nthe \\u001b\[1mcat\.$/);

  const scored = await rmtrain(["score", "--model", model, "--data", "-"], `${JSON.stringify({ text })}\n`);
  const { reward, tokens } = JSON.parse(scored.out);
  expect(lines.length).toBe(tokens);
  expect(lines.at(-1)).toContain(`Reward: ${reward.toFixed(3)} `);

  const json = await rmtrain(["trace", "--model", model, "--json", "-"], `${text}\n`);
  const points = JSON.parse(json.out);
  expect(points.length).toBe(tokens);
  expect(Object.keys(points[0])).toEqual(["token_id", "token", "prefix", "reward"]);
  expect(points.at(-1).reward).toBe(reward);
  expect(points.at(-1).prefix.trimStart()).toBe(text);
});

it("without a text it says what is missing", async () => {
  const { code, err } = await rmtrain(["trace", "--model", model]);
  expect(code).toBe(2);
  expect(err).toMatch(/missing required argument 'text'/);
});
