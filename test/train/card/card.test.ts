/** @file The model card: what it says is what the run found, equal runs have equal cards, and foreign text is harmless. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type ModelFolder, openModelFolder } from "../../../src/model/model-folder.ts";
import { type CardInput, modelCard } from "../../../src/train/card/card.ts";
import { frontMatter, hubName } from "../../../src/train/card/front-matter.ts";
import { plain } from "../../../src/train/card/markdown.ts";
import type { RunFile } from "../../../src/train/run-file.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { realModel } from "../../reference/goldens.ts";
import { useGpu } from "../../support/gpu.ts";
import { idPairs, jsonl, run } from "../records.ts";

const gpu = useGpu();
const hostile = "<script>alert(1)</script> | [a](http://x)\n# heading `code`";
const pairs = (count: number) => idPairs(count).map((r, i) => ({ ...r, kind: i % 2 ? "plain" : hostile }));

let model: string;
let first: Awaited<ReturnType<typeof run>>;
let card: string;
beforeAll(async () => {
  model = await tinyModel({ family: "llama" });
  first = await run(gpu(), { model, data: jsonl(pairs(20)), evalData: jsonl(pairs(9), "held.jsonl") });
  card = readFileSync(join(first.out, "README.md"), "utf8");
});

it("has the Hub's front matter, and the numbers of the run", () => {
  expect(card).toMatch(
    /^---\nlibrary_name: transformers\npipeline_tag: text-classification\ntags:\n {2}- reward-model\n[\s\S]*?\n---\n\n# /,
  );
  const evaluation = first.evaluation ?? expect.fail("the run has held-out pairs");
  const three = (value: number) => value.toFixed(3);
  const { accuracy, low, high } = evaluation.accuracy;
  expect(card).toContain(`| this model | ${three(accuracy)} | ${three(low)} to ${three(high)} |`);
  expect(card).toContain(`| always the longer reply | ${three(evaluation.baselines.longer)} |`);
  expect(card).toContain(`| always the shorter reply | ${three(evaluation.baselines.shorter)} |`);
  expect(card).toContain(`Loss ${evaluation.metrics.loss.toFixed(4)}`);
  const plainGroup = evaluation.groups.find((g) => g.group === "plain") ?? expect.fail("no such group");
  expect(card).toContain(`| plain | ${plainGroup.n} | ${three(plainGroup.accuracy)} |`);
  expect(card).toContain(`step ${first.savedStep} of ${first.totalSteps}`);
  expect(card).toMatch(/^\| pairs read \| 20 \| 9 \|$/m);
  const json: RunFile = JSON.parse(readFileSync(join(first.out, "run.json"), "utf8"));
  for (const hash of [...Object.values(json.base.files), ...Object.values(json.data.train.files)])
    expect(card).toContain(`\`${hash}\``);
  for (const [name, value] of Object.entries(json.options))
    if (typeof value === "number" || typeof value === "boolean")
      expect(card).toContain(`| \`${name}\` | ${value} |`);
  expect(first.findings.length).toBeGreaterThan(0);
  for (const finding of first.findings) expect(card).toContain(`\`${finding.check}\``);
  for (const version of Object.values(json.versions)) expect(card).toContain(version);
  expect(card).toContain("`read_position` | last |");
});

it("of low-rank updates: PEFT's library, and how to load them with their base", async () => {
  const { out } = await run(gpu(), {
    model,
    data: jsonl(pairs(9)),
    trainable: "lora",
    loraR: 2,
    evalSplit: 0,
  });
  const text = readFileSync(join(out, "README.md"), "utf8");
  expect(text).toMatch(/^---\nlibrary_name: peft\n/);
  expect(text).toContain("rmtrain score --model BASE_FOLDER --adapter THIS_FOLDER");
  expect(text).toContain('PeftModel.from_pretrained(model, "THIS_FOLDER")');
  expect(text).toContain("header of `adapter_model.safetensors`");
  expect(text).not.toContain("Stored in `config.json`");
  expect(text).toContain("were trained (rank 2, alpha 32, of all-linear)");
});

it("of another loss: its name and its paper", async () => {
  const { out } = await run(gpu(), { model, data: jsonl(pairs(9)), loss: "hinge", evalSplit: 0 });
  expect(readFileSync(join(out, "README.md"), "utf8")).toMatch(
    /The loss `hinge` \(Zhao et al\. 2023.*; the head is that/,
  );
});

it("text from the data comes as text: no HTML, no link, no heading, no broken table", () => {
  expect(card).not.toMatch(/<script|<\/script|\[a\]|\n# heading|http:/);
  const row = card.split("\n").find((line) => line.includes("alert")) ?? expect.fail("the group is missing");
  expect(row.replace(/&#\d+;/g, "").split("|").length).toBe(6);
});

it("equal runs have equal cards, in any folder", async () => {
  const { data, evalData } = first.dataset.eval === undefined ? expect.fail() : sources();
  const again = await run(gpu(), { model, data, evalData });
  expect(readFileSync(join(again.out, "README.md"), "utf8")).toBe(card);
});

function sources() {
  const { options } = JSON.parse(readFileSync(join(first.out, "run.json"), "utf8"));
  return { data: String(options.data), evalData: String(options.eval_data) };
}

describe("how to use it follows the recipe", () => {
  const withRecipe = async (change: Partial<CardInput>) => {
    await using base = await openModelFolder(model);
    const json: RunFile = JSON.parse(readFileSync(join(first.out, "run.json"), "utf8"));
    return modelCard({
      run: json,
      base,
      recipe: { addEos: false, readPosition: "last" },
      hasTokenizer: true,
      step: 1,
      totalSteps: 2,
      evaluation: undefined,
      findings: [],
      ...change,
    });
  };

  it("EOS where the recipe adds one", async () => {
    const recipe = { addEos: true, eosTokenId: 7, readPosition: "last" } as const;
    expect(await withRecipe({ recipe })).toMatch(/if ids\[-1\] != 7:.*\n {4}ids\.append\(7\)/);
    expect(await withRecipe({})).not.toMatch(/ids\.append/);
  });

  it("conversations by the template, without special tokens a second time, and with its own rules of BOS and EOS", async () => {
    const chat = {
      templateSha256: "a".repeat(64),
      endOfTurn: [5],
      addEos: true,
      clock: "2026-11-24T08:00:00",
    };
    const tokenizer = { bosTokenId: 3, before: [3], after: [] };
    const recipe = { addEos: false, eosTokenId: 7, readPosition: "last", chat, tokenizer } as const;
    const text = await withRecipe({ recipe });
    expect(text).toMatch(/apply_chat_template\(messages, tokenize=False\)\n# .*2026-11-24/);
    expect(text).toMatch(/tokenizer\(text, add_special_tokens=False\)/);
    expect(text).toMatch(/if ids\[-1\] != 7:/);
    expect(text).not.toMatch(/ids\[:1\]/);
    expect(text).toContain(`| \`chat.template_sha256\` | ${"a".repeat(64)} |`);
    expect(await withRecipe({ recipe: { ...recipe, bos: "always" } })).toMatch(
      /while ids\[:1\] == \[3\]:\n {4}ids = ids\[1:\]\nids = \[3\] \+ ids/,
    );
    expect(await withRecipe({ recipe: { ...recipe, bos: "never" } })).not.toMatch(/ids = \[3\]/);
  });

  it("ids where there is no tokenizer; no evaluation where nothing was held out", async () => {
    const text = await withRecipe({ hasTokenizer: false });
    expect(text).not.toMatch(/AutoTokenizer/);
    expect(text).toMatch(/## Evaluation\n\nNone: no pairs were held out/);
  });

  it("findings are listed, escaped", async () => {
    const finding = {
      check: "duplicates",
      severity: "warning",
      message: "3 <b>twice</b>",
      count: 3,
      examples: [],
    } as const;
    expect(await withRecipe({ findings: [finding] })).toMatch(
      /\| warning \| `duplicates` \| 3 \| 3 &#60;b&#62;twice&#60;\/b&#62; \|/,
    );
  });
});

describe("what the base says of itself", () => {
  async function based(readme: string, config: Record<string, unknown> = {}): Promise<ModelFolder> {
    const dir = await tinyModel({ family: "llama", config });
    writeFileSync(join(dir, "README.md"), readme);
    return openModelFolder(dir);
  }

  it("its licence, languages and id on the Hub are kept", async () => {
    await using base = await based(
      "---\nlicense: apache-2.0\nlanguage: [en, de]\ntags: [x]\n---\n# A base\n",
      {
        _name_or_path: "owner/name-1.5",
      },
    );
    const lines = await frontMatter(base);
    expect(lines).toEqual(
      expect.arrayContaining(["license: apache-2.0", "language: [en, de]", "base_model: owner/name-1.5"]),
    );
  });

  it.each([
    ["no front matter", "# A base\nlicense: mit\n"],
    ["what would need quoting", "---\nlicense: 'mit'\nlicense_name: a: b\n---\n"],
  ])("%s: nothing is made up", async (_, readme) => {
    await using base = await based(readme);
    expect((await frontMatter(base)).join("\n")).not.toMatch(/license|base_model/);
  });

  it("a folder of the Hub's cache names its model", async () => {
    await using base = await openModelFolder(realModel("stories260k"));
    const dir = join(temporaryFolder(), "models--owner--name", "snapshots", "abc");
    mkdirSync(dir, { recursive: true });
    expect(hubName({ ...base, dir })).toBe("owner/name");
  });
});

it.each([
  ["a_b.jsonl", "a_b.jsonl"],
  ["_a_", "&#95;a&#95;"],
  ["a\u0000\n\tb", "a b"],
  ["www.x.org me@x", "www&#46;x.org me&#64;x"],
  ["x".repeat(200), `${"x".repeat(97)}...`],
])("plain(%j)", (text, expected) => {
  expect(plain(text)).toBe(expected);
});
