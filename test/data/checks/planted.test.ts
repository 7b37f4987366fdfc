/**
 * @file The files in planted/ hold one or more of each ruin; manifest.json beside them lists, for each run over them,
 * every finding. `checkData` has to find these and nothing else, by real tokenisation with a real model's tokenizer.
 */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Finding } from "../../../src/data/checks/finding.ts";
import { checkData } from "../../../src/train/check.ts";
import { temporaryFolder } from "../../model/tiny-model.ts";
import { realModel } from "../../reference/goldens.ts";

interface PlantedRun {
  readonly name: string;
  readonly options: {
    readonly data: string;
    readonly eval_data?: string;
    readonly eval_split?: number;
    readonly max_length?: number;
    readonly truncate?: "left" | "right";
    readonly eos?: boolean;
  };
  /** What config.json says other than the model's own. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** A file of planted/ that becomes the model's chat template. */
  readonly template?: string;
  readonly findings: readonly Omit<Finding, "message">[];
}

const folder = fileURLToPath(new URL("./planted/", import.meta.url));
const { runs }: { readonly runs: readonly PlantedRun[] } = JSON.parse(
  readFileSync(join(folder, "manifest.json"), "utf8"),
);

function modelOf({ config, template }: PlantedRun): string {
  const model = realModel("stories260k");
  if (config === undefined && template === undefined) return model;
  const copy = join(temporaryFolder(), "model");
  cpSync(model, copy, { recursive: true });
  const file = join(copy, "config.json");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...config }));
  if (template !== undefined) cpSync(join(folder, template), join(copy, "chat_template.jinja"));
  return copy;
}

/** Without its text, and with rows as the manifest names them. */
function listed({ message: _, examples, ...rest }: Finding) {
  return { ...rest, examples: examples.map((row) => row.replace(folder, "")) };
}

describe("planted ruins", () => {
  it.each(runs)("$name", async (run) => {
    const { options, findings } = run;
    const { data, eval_data, eval_split, max_length, truncate, eos } = options;
    const result = await checkData({
      model: modelOf(run),
      data: join(folder, data),
      ...(eval_data === undefined ? {} : { evalData: join(folder, eval_data) }),
      ...(eval_split === undefined ? {} : { evalSplit: eval_split }),
      ...(max_length === undefined ? {} : { maxLength: max_length }),
      ...(truncate === undefined ? {} : { overlong: truncate }),
      ...(eos === undefined ? {} : { eos }),
    });
    expect(result.findings.map(listed)).toEqual(findings);
  });
});
