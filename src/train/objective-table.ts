/** @file The table of rewards and losses as data: which cells are defined, which have a name, why the others are refused. */
import { refusedCell } from "./combinations.ts";
import { type LossConstants, type LossName, lossNames, type RecordKind } from "./losses/loss.ts";
import { losses } from "./losses/table.ts";
import { type ObjectiveName, objectiveNames, objectives, rewards } from "./objectives.ts";
import { type ImplicitForm, implicitFormNames, implicitForms } from "./rewards/implicit-form.ts";
import { type RewardName, rewardNames } from "./rewards/reward.ts";

/** One loss with one reward. */
export interface TableCell {
  /** Objectives whose own cell this is. */
  readonly objectives: readonly ObjectiveName[];
  /** Why it is not defined; absent where it is. */
  readonly refused?: string;
}

export interface LossRow {
  readonly loss: LossName;
  readonly records: RecordKind;
  readonly aliases: readonly string[];
  readonly paper: string;
  readonly formula: string;
  readonly reads: readonly (keyof LossConstants)[];
  /** Whether records may give margins. */
  readonly margins: boolean;
  readonly cells: Readonly<Record<RewardName, TableCell>>;
  /** Forms of the implicit reward that are refused, and why. */
  readonly forms: Readonly<Record<string, string>>;
}

export interface ObjectiveTable {
  readonly losses: readonly LossRow[];
  readonly forms: readonly ImplicitForm[];
  readonly objectives: readonly {
    readonly objective: ObjectiveName;
    readonly loss: LossName;
    readonly reward: { readonly head: RewardName; readonly model: RewardName };
    readonly form: string;
  }[];
}

export function objectiveTable(): ObjectiveTable {
  return {
    losses: lossNames.map(lossRow),
    forms: implicitFormNames.map((name) => implicitForms[name]),
    objectives: objectiveNames.map((objective) => {
      const { loss, reward, form } = objectives[objective];
      return { objective, loss, reward, form };
    }),
  };
}

function lossRow(name: LossName): LossRow {
  const { kind, aliases, paper, formula, reads, differences } = losses[name];
  const cells = rewardNames.map((reward) => [reward, cell(name, reward)] as const);
  const forms = implicitFormNames.flatMap((form) => {
    const reason = refusedCell(losses[name], rewards.implicit, implicitForms[form]);
    return reason === undefined ? [] : [[form, reason]];
  });
  return {
    loss: name,
    records: kind,
    aliases,
    paper,
    formula,
    reads,
    margins: kind === "pairs" && differences,
    cells: Object.fromEntries(cells) as LossRow["cells"],
    forms: Object.fromEntries(forms) as LossRow["forms"],
  };
}

function cell(name: LossName, reward: RewardName): TableCell {
  const own = objectiveNames.filter((objective) => {
    const { loss, reward: of } = objectives[objective];
    // Every name of an implicit cell but the first is another form; the lone head's cells have names of their own.
    return loss === name && [of.head, of.model].includes(reward);
  });
  const refused = refusedCell(losses[name], rewards[reward], undefined);
  return { objectives: own, ...(refused === undefined ? {} : { refused }) };
}
