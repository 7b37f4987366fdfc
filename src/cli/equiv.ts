/** @file `rmtrain equiv`: whether a reward model's loss and DPO's are one objective, measured; exit code 1 where not. */
import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import { equivalence } from "../audit/equiv/equivalence.ts";
import { type EquivRow, type EvidenceKind, evidenceKinds, failures, isAsItMust } from "../audit/equiv/row.ts";
import { openGpu } from "../kernels/open.ts";
import { memoryBudgetOption, wholeNumber } from "./options.ts";

/** What a fresh clone and the package bring; the model's weights are float32. */
const model = fileURLToPath(new URL("../../models/base-random", import.meta.url));
const examples = fileURLToPath(new URL("../../examples/prefs.jsonl", import.meta.url));

interface Flags {
  readonly json?: true;
  readonly markdown?: true;
  readonly seed: number;
  readonly memoryBudget: number;
}

export function register(program: Command): void {
  program
    .command("equiv")
    .description(
      "show in numbers that DPO's loss is the reward model's pairwise loss; exit code 1 where a claim fails or a negative control comes out equal",
    )
    .addOption(
      new Option(
        "--json",
        "print rows {kind, claim, value, bound, pass} as JSON (default: a table)",
      ).conflicts("markdown"),
    )
    .option("--markdown", "print the table as docs/equivalence.md has it")
    .option("--seed <n>", "of the random head, the other language model and the table", wholeNumber, 0)
    .addOption(memoryBudgetOption())
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  using gpu = await openGpu({ memoryBudget: flags.memoryBudget });
  const rows = await equivalence(gpu, { model, data: examples, seed: flags.seed });
  const { out, err, exitCode } = report(rows, flags.json ? "json" : flags.markdown ? "markdown" : "table");
  process.stdout.write(out);
  process.stderr.write(err);
  process.exitCode = exitCode;
}

export interface EquivReport {
  readonly out: string;
  /** A line for each row that did not come out as it must. */
  readonly err: string;
  /** 1 where a claim fails or a control comes out equal. */
  readonly exitCode: number;
}

export function report(rows: readonly EquivRow[], format: "table" | "json" | "markdown"): EquivReport {
  const print = { table, markdown, json: () => `${JSON.stringify(rows, null, 2)}\n` };
  const wrong = failures(rows);
  return {
    out: print[format](rows),
    err: wrong.map((sentence) => `rmtrain equiv: ${sentence}\n`).join(""),
    exitCode: wrong.length === 0 ? 0 : 1,
  };
}

const headings: Readonly<Record<EvidenceKind, string>> = {
  construction: "By construction: equal because the code is one. No evidence for the algebra.",
  independent:
    "Independent: DPO as the paper writes it, in files that import nothing of the trainer, on log-probabilities of a causal LM.",
  control: "Negative controls: one thing is broken on purpose, and the same bound must not hold.",
  optimum: "Same optimum: both objectives fitted to the end, apart from each other, on the same preferences.",
};

/** Two digits: small and large ones with an exponent. */
function number(value: number): string {
  if (value === 0 || (value >= 0.01 && value < 1e4)) return String(Number(value.toPrecision(2)));
  return value.toExponential(1);
}

/** Whether the row came out as it must, in words. */
function verdict(row: EquivRow): string {
  if (row.kind === "control") return isAsItMust(row) ? "differs" : "EQUAL";
  return isAsItMust(row) ? "ok" : "FAILED";
}

function table(rows: readonly EquivRow[]): string {
  const parts = evidenceKinds.map((kind) => {
    const lines = rows
      .filter((row) => row.kind === kind)
      .map((row) => {
        const detail = row.detail === undefined ? "" : ` (${row.detail})`;
        const sign = row.kind === "control" ? ">" : "<=";
        return `  ${verdict(row).padEnd(8)} ${number(row.value).padStart(8)} ${sign.padEnd(2)} ${number(row.bound).padEnd(8)} ${row.claim}${detail}`;
      });
    return [headings[kind], ...lines, ""].join("\n");
  });
  const wrong = failures(rows).length;
  const conclusion =
    wrong === 0
      ? `All ${rows.length} rows came out as they must: the same objective, up to a constant per prompt that no pair can see.\nNot claimed: the same model. See docs/equivalence.md.\n`
      : `${wrong} of ${rows.length} rows did not come out as they must.\n`;
  return `${parts.join("\n")}\n${conclusion}`;
}

function markdown(rows: readonly EquivRow[]): string {
  const parts = evidenceKinds.map((kind) => {
    const lines = rows
      .filter((row) => row.kind === kind)
      .map(
        (row) =>
          `| ${row.claim.replaceAll("|", "\\|")} | ${number(row.value)} | ${number(row.bound)} | ${verdict(row)} |`,
      );
    return [
      `**${headings[kind]}**`,
      "",
      "| | measured | bound | |",
      "|---|---:|---:|---|",
      ...lines,
      "",
    ].join("\n");
  });
  return `${parts.join("\n")}`;
}
