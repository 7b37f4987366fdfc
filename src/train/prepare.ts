/** @file Everything that happens before any work on the device: the recipe, the records as ids, what is wrong with them. */
import { type Finding, plural, type SetName, stopsStrict } from "../data/checks/finding.ts";
import type { CheckedSet } from "../data/checks/input.ts";
import { runChecks } from "../data/checks/run-checks.ts";
import { type ExampleKind, nouns } from "../data/example-kind.ts";
import { sourceName } from "../data/sources/files.ts";
import { InputError } from "../errors.ts";
import { chatReader, chosenTemplate } from "../model/chat/chat-reader.ts";
import type { ChatTemplate } from "../model/chat/template.ts";
import type { ModelFolder } from "../model/model-folder.ts";
import type { InputRecipe } from "../model/recipe.ts";
import type { FoundTokenizer } from "../model/tokenizer.ts";
import { type Dataset, readRecords, type TrainingSet, tokeniseRecords } from "./dataset.ts";
import { pairsOf } from "./example-sets.ts";
import { reportDataset, reportFindings } from "./notes.ts";
import { findObjective } from "./objectives.ts";
import { defaultMaxLength, type TrainOptions } from "./options.ts";
import type { TrainReporter } from "./reporter.ts";
import { trainedEnding } from "./trained-ending.ts";
import { trainingRecipe } from "./training-recipe.ts";

export interface Prepared<K extends ExampleKind = "pairs"> {
  readonly dataset: Dataset<K>;
  /** What is wrong with the data, or worth knowing, in the checks' order. */
  readonly findings: readonly Finding[];
  /** How the trained model reads its input; stored with it. */
  readonly recipe: InputRecipe;
  /** What made texts of conversations, where there were any; stored with the model too. */
  readonly chatTemplate: ChatTemplate | undefined;
  /** Tokens that a sequence may have. */
  readonly maxLength: number;
}

/**
 * Reads the input and tells what it is and what was found in it.
 * @throws InputError naming file, line and reason, or the option that does not go with the model; when nothing is
 * left to train on; with `strict`, for findings that are more than notes
 */
export async function prepare(
  options: TrainOptions,
  folder: ModelFolder,
  found: FoundTokenizer,
  reporter: TrainReporter,
): Promise<Prepared<ExampleKind>> {
  const { reward, loss } = findObjective(options);
  const prepared = await inspect(options, folder, found, (text) => reporter.note(text), loss.kind);
  const { dataset } = prepared;
  reportDataset(dataset, reporter);
  if (dataset.train.kind === "pairs") for (const note of reward.notes(dataset.train)) reporter.note(note);
  reportFindings(prepared.findings, reporter);
  if (options.strict) refuseFindings(prepared.findings);
  refuseNothing(options, prepared);
  if (!loss.differences) refuseMargins(loss.name, dataset);
  if (loss.name === "cringe") refuseLabels(dataset);
  return prepared;
}

/**
 * Reads and checks the input, pairs unless another kind is named; no device.
 * @throws InputError naming file, line and reason, or the option that does not go with the model
 */
export async function inspect(
  options: Omit<TrainOptions, "out">,
  folder: ModelFolder,
  found: FoundTokenizer,
  note?: (text: string) => void,
): Promise<Prepared>;
export async function inspect<K extends ExampleKind>(
  options: Omit<TrainOptions, "out">,
  folder: ModelFolder,
  found: FoundTokenizer,
  note: ((text: string) => void) | undefined,
  kind: K,
): Promise<Prepared<K>>;
export async function inspect(
  options: Omit<TrainOptions, "out">,
  folder: ModelFolder,
  { tokenizer, missing }: FoundTokenizer,
  note: (text: string) => void = () => {},
  kind: ExampleKind = "pairs",
): Promise<Prepared<ExampleKind>> {
  const maxLength = checkedMaxLength(folder, options.maxLength);
  const template = await chosenTemplate(folder.dir, options);
  await using chats = chatReader(folder.dir, tokenizer, template, options.chatDate);
  const records = await readRecords(options, chats, note, kind);
  for (const line of chats.notes()) note(line);
  const recipe = trainingRecipe(folder, tokenizer, chats, { ...options, maxLength });
  const tokenise = {
    encoder: tokenizer,
    missing,
    recipe,
    vocabSize: folder.config.vocabSize,
    maxLength,
    overlong: options.overlong,
  };
  const dataset = tokeniseRecords(records, tokenise, options, note);
  const findings = runChecks({
    sets: checkedSets(dataset),
    recipe,
    trained: await trainedEnding(folder, tokenizer),
    tokenizer,
    padTokenId: folder.config.padTokenId ?? undefined,
    maxPositions: folder.config.maxPositions,
    maxLength,
    overlong: options.overlong,
  });
  return { dataset, findings, recipe, chatTemplate: chats.template, maxLength };
}

function checkedSets<K extends ExampleKind>({ train, eval: held }: Dataset<K>): CheckedSet[] {
  const checked = (name: SetName, set: TrainingSet): CheckedSet => ({ name, ...set });
  return [checked("training", train), ...(held === undefined ? [] : [checked("held-out", held)])];
}

/** What `--strict` does. @throws InputError where a finding is more than a note */
export function refuseFindings(findings: readonly Finding[]): void {
  const stopping = findings.filter(stopsStrict);
  if (stopping.length === 0) return;
  const names = [...new Set(stopping.map(({ check }) => check))].join(", ");
  throw new InputError(`--strict: ${plural(stopping.length, "finding")} to look at first (${names})`);
}

function refuseNothing<K extends ExampleKind>(
  { data }: TrainOptions,
  { dataset, maxLength }: Prepared<K>,
): void {
  const { kind, examples, counts }: TrainingSet = dataset.train;
  if (examples.length > 0) return;
  const undecided = counts.undecided === undefined ? "" : `, ${counts.undecided} say nothing to learn from`;
  throw new InputError(
    `${sourceName(data)}: none of ${counts.records} ${nouns[kind]}s is left to train on: ${counts.dropped} are longer than --max-length ${maxLength} (raise it, or use --truncate left or right), ${counts.identical} have equal sides${undecided}`,
  );
}

/** @throws InputError naming a record whose margin the loss has no place for */
function refuseMargins(loss: string, { train, eval: held }: Dataset<ExampleKind>): void {
  const pair = [...pairsOf(train), ...pairsOf(held)].find(({ margin }) => margin !== 0);
  if (pair === undefined) return;
  throw new InputError(
    `${pair.record.where}: margin ${pair.margin}: --loss ${loss} sees both rewards, not their difference, and takes no margin. Leave the field out, or use a loss of differences (\`rmtrain objectives\`)`,
  );
}

/** @throws InputError naming a record that is not sure which reply is the better one: only the worse one is penalised */
function refuseLabels({ train, eval: held }: Dataset<ExampleKind>): void {
  const pair = [...pairsOf(train), ...pairsOf(held)].find(({ label }) => label !== 1);
  if (pair === undefined) return;
  throw new InputError(
    `${pair.record.where}: label ${pair.label}: --loss cringe penalises the rejected reply's tokens and takes no doubt about which one that is. Leave the field out, or use another loss`,
  );
}

function checkedMaxLength({ config, dir }: ModelFolder, wanted: number | undefined): number {
  if (wanted === undefined) return Math.min(defaultMaxLength, config.maxPositions);
  if (config.learnedPositions && wanted > config.maxPositions) {
    throw new InputError(
      `--max-length ${wanted}: ${dir} has learned positions for ${config.maxPositions} tokens`,
    );
  }
  return wanted;
}
