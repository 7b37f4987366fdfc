/** @file The card's YAML front matter, which the Hub reads, from what the base says of itself. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelFolder } from "../../model/model-folder.ts";
import type { CardKind } from "./kind.ts";

/** A model's id on the Hub, "owner/name". */
const hubId = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;
/** Keys of a base's card that hold for what is made from it. */
const inherited = ["license", "license_name", "license_link", "language"];
/** A scalar or a list in brackets that needs no quoting; anything else is left out. */
const harmless = /^(?:[\w.:/-]+|\[[\w ,-]*\])$/;

const tags: Readonly<Record<CardKind, readonly string[]>> = {
  reward: ["reward-model", "preference-learning", "rlhf", "rmtrain"],
  policy: ["preference-learning", "rlhf", "rmtrain"],
  language: ["rmtrain"],
};

/** The lines between the two `---`, without them. @param adapter whether the folder holds low-rank updates alone */
export async function frontMatter(
  base: ModelFolder,
  adapter = false,
  kind: CardKind = "reward",
): Promise<string[]> {
  const name = hubName(base);
  return [
    `library_name: ${adapter ? "peft" : "transformers"}`,
    `pipeline_tag: ${kind === "reward" ? "text-classification" : "text-generation"}`,
    ...(name === undefined
      ? []
      : [`base_model: ${name}`, `base_model_relation: ${adapter ? "adapter" : "finetune"}`]),
    ...(await inheritedLines(base.dir)),
    "tags:",
    ...tags[kind].map((tag) => `  - ${tag}`),
  ];
}

/**
 * The base's id on the Hub where its folder says so: as a folder of the Hub's cache, or in its config.json as
 * transformers writes it. Undefined where it does not: a local folder's name means nothing to others.
 */
export function hubName({ dir, config }: ModelFolder): string | undefined {
  const [, owner, name] = /models--([\w.-]+?)--([\w.-]+?)\/snapshots\//.exec(`${dir}/`) ?? [];
  if (owner !== undefined && name !== undefined) return `${owner}/${name}`;
  const { _name_or_path: stated } = config.raw;
  return typeof stated === "string" && hubId.test(stated) ? stated : undefined;
}

async function inheritedLines(dir: string): Promise<string[]> {
  const card = await readFile(join(dir, "README.md"), "utf8").catch(() => "");
  const [, header = ""] = /^---\r?\n([\s\S]*?)\r?\n---/.exec(card) ?? [];
  return inherited.flatMap((key) => {
    const value = new RegExp(`^${key}:[ \\t]*(.+?)[ \\t]*$`, "m").exec(header)?.[1];
    return value !== undefined && harmless.test(value) ? [`${key}: ${value}`] : [];
  });
}
