/** @file On real preference data the check counts what an independent script counts, written from the definitions. */
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
