/** @file `rmtrain objectives`: the one table of rewards and losses, with every name, paper and refusal. */
import type { Command } from "commander";
import { type LossRow, objectiveTable, type TableCell } from "../train/objective-table.ts";
import { rewardNames } from "../train/rewards/reward.ts";

export function register(program: Command): void {
  program
    .command("objectives")
    .description("print which rewards go with which losses, and all names, formulas and papers; no device")
    .option("--json", "print the table as JSON (default: text)")
    .action(({ json }: { readonly json?: true }) => {
      process.stdout.write(json ? `${JSON.stringify(objectiveTable())}\n` : text());
    });
}

function text(): string {
  const { losses, forms, objectives } = objectiveTable();
  const reasons = [
    ...new Set(losses.flatMap(({ cells }) => rewardNames.flatMap((name) => cells[name].refused ?? []))),
  ];
  const shown = ({ objectives: own, refused }: TableCell) =>
    refused === undefined ? own.join(" ") || "yes" : "no";
  const cells = losses.map((row) => [
    row.loss,
    row.records,
    ...rewardNames.map((name) => shown(row.cells[name])),
  ]);
  const lines = [
    "Losses by rewards. A name is the cell's --objective; yes: --loss NAME --reward NAME; no: not defined.",
    "",
    ...columns([["loss", "records", ...rewardNames], ...cells]),
    "",
    ...whyNot(reasons),
    "",
    "Losses, of r_w and r_l, the chosen and the rejected reply's rewards; d = r_w - r_l - margin; r = β ρ:",
    "",
    ...losses.flatMap(lossLines),
    "Forms of the implicit reward (--form), with any of the losses:",
    "",
    ...forms.flatMap(({ name, formula, paper, beta, gamma, nll }) => [
      `  ${name.padEnd(8)}${formula}`,
      `          ${paper}; β ${beta}${gamma > 0 ? `, γ ${gamma}` : ""}${nll > 0 ? `, α ${nll}` : ""}`,
    ]),
    "",
    "Objectives (--objective), the names of cells:",
    "",
    ...objectives.map(({ objective, loss, reward, form }) => {
      const of = (name: string) => (name === "implicit" ? `implicit (${form})` : name);
      const head = reward.head === reward.model ? "" : `, of a lone head ${of(reward.head)}`;
      return `  ${objective.padEnd(8)}${loss} of ${of(reward.model)}${head}`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}

/** Most refusals are one sentence with other names in it; the others are told each. */
function whyNot(reasons: readonly string[]): string[] {
  const isCommon = (reason: string) => reason.includes("constant for each prompt");
  const after = (reason: string) => reason.slice(reason.indexOf(": ") + 2);
  const [first] = reasons.filter(isCommon);
  return [
    ...(first === undefined
      ? []
      : [`no: ${after(first).replace(/, and [\w-]+ sees/, ", and these losses see")}.`]),
    ...new Set(reasons.filter((reason) => !isCommon(reason)).map((reason) => `no: ${after(reason)}.`)),
  ];
}

function lossLines({ loss, records, aliases, paper, formula, margins, forms }: LossRow): string[] {
  const names = aliases.length === 0 ? "" : ` (also ${aliases.join(", ")})`;
  const without = Object.keys(forms);
  return [
    `  ${loss}${names}: ${records}${margins ? ", margins" : ""}${without.length === 0 ? "" : `; not with --form ${without.join(" or ")}`}`,
    `      ${formula}`,
    `      ${paper}`,
    "",
  ];
}

function columns(table: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...table.map((cells) => cells[column]?.length ?? 0));
  return table.map((cells) => `  ${cells.map((cell, i) => cell.padEnd(width(i))).join("  ")}`.trimEnd());
}
