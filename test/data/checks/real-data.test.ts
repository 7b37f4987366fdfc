/** @file On real preference data the check counts what an independent script counts, written from the definitions. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { checkData } from "../../../src/train/check.ts";
import { countRuins } from "../../reference/check-counts.ts";
import { realModel } from "../../reference/goldens.ts";

const shared = process.env.RMTRAIN_SHARED;
const random = fileURLToPath(new URL("../../../models/base-random", import.meta.url));
const template = fileURLToPath(new URL("./planted/chat.jinja", import.meta.url));

interface Case {
  readonly set: string;
  readonly maxLength: number;
  readonly truncate?: "left" | "right";
  /** stories260k where not given. */
  readonly model?: string;
}

const cases: readonly Case[] = [
  { set: "hh-harmless", maxLength: 512 },
  { set: "hh-harmless", maxLength: 128, truncate: "right" },
  { set: "hh-harmless", maxLength: 96, truncate: "left" },
  { set: "hh-harmless-messages", maxLength: 512 },
  { set: "hh-harmless-messages", maxLength: 200, truncate: "left" },
  { set: "qa-feedback", maxLength: 512 },
  { set: "qa-feedback", maxLength: 96, truncate: "left" },
  { set: "qa-feedback", maxLength: 1024, model: random },
  { set: "blimp", maxLength: 512 },
];

it.skipIf(shared === undefined).each(cases)(
  "$set, at most $maxLength tokens, cut: $truncate (needs RMTRAIN_SHARED)",
  async ({ set, maxLength, truncate, model = realModel("stories260k") }) => {
    const messages = set.endsWith("-messages");
    const folder = join(shared ?? "", "data", set.replace("-messages", ""));
    const [data, evalData] = ["train", "eval"].map((name) =>
      join(folder, `${name}${messages ? "-messages" : ""}.jsonl`),
    ) as [string, string];
    const { findings } = await checkData({
      model,
      data,
      evalData,
      maxLength,
      overlong: truncate ?? "drop",
      ...(messages ? { chatTemplate: template } : {}),
    });
    const name = ({ check, set: where }: (typeof findings)[number]) =>
      where === undefined ? check : `${check} ${where}`;
    const counted = Object.fromEntries(findings.map((finding) => [name(finding), finding.count]));
    const cut = truncate === undefined ? {} : { truncate };
    expect(counted).toEqual(countRuins({ train: data, held: evalData, model, maxLength, ...cut }));
  },
  120_000,
);

const linesOf = (name: string): Record<string, unknown>[] =>
  readFileSync(join(shared ?? "", "data", name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

it.skipIf(shared === undefined)(
  "halueval's single labels and qa-feedback's ranked lists (needs RMTRAIN_SHARED)",
  async () => {
    const model = realModel("stories260k");
    const check = (name: string) =>
      checkData({ model, data: join(shared ?? "", "data", name), evalSplit: 0, maxLength: 2048 });
    const rows = linesOf("halueval/train.jsonl");
    const labelled = await check("halueval/train.jsonl");
    const wanted = rows.filter(({ label }) => label === true).length;
    expect(labelled).toMatchObject({ kind: "rows", sets: [{ records: rows.length, used: rows.length }] });
    const ratio = wanted / (rows.length - wanted);
    const balanced = labelled.findings.every((finding) => finding.check !== "label-balance");
    expect(balanced).toBe(ratio >= 1 && ratio <= 4 / 3);
    const lists = linesOf("qa-feedback/ranked.jsonl");
    const isTied = (rank: unknown) => Array.isArray(rank) && rank.every((place) => place === rank[0]);
    const left = lists.filter(({ rank }) => rank === null || isTied(rank)).length;
    const ranked = await check("qa-feedback/ranked.jsonl");
    expect(ranked.kind).toBe("lists");
    expect(ranked.sets[0]).toMatchObject({ records: lists.length, undecided: left });
    expect(ranked.findings.find((finding) => finding.check === "nothing-to-learn")?.count).toBe(left);
  },
  60_000,
);
