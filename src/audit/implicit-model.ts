/**
 * @file A policy and its reference ready to use: texts or ids in, implicit rewards out, of whole replies and of every
 * prefix of them. The rewards are those of a run's closing evaluation, bit for bit.
 */
import type { Content } from "../data/content.ts";
import type { TokenisedContent, TokeniseOptions } from "../data/tokenise.ts";
import { InputError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { WarmUpProgress } from "../gpu/warm-up.ts";
import { hashBase } from "../model/adapter/base-hash.ts";
import { type Adapter, openAdapter } from "../model/adapter/open-adapter.ts";
import type { Backbone } from "../model/backbone.ts";
import type { ChatReader } from "../model/chat/chat-reader.ts";
import type { ModelConfig } from "../model/config.ts";
import { type ModelFolder, openModelFolder } from "../model/model-folder.ts";
import type { InputRecipe } from "../model/recipe.ts";
import { parseReward, REWARD_KEY, type StoredReward } from "../model/stored-reward.ts";
import { type FoundTokenizer, findTokenizer, type Tokenizer } from "../model/tokenizer.ts";
import { type ImplicitFormName, implicitFormNames, implicitForms } from "../train/rewards/implicit-form.ts";
import { type LoadedModels, loadImplicitModels } from "../train/rewards/implicit-models.ts";
import { type ImplicitScore, implicitScores } from "../train/rewards/implicit-scorer.ts";
import type { FormWithBeta } from "../train/rewards/implicit-terms.ts";
import type { TokenCounts } from "../train/run-batches.ts";
import { adaptedInput, inputOf, refusal } from "./model-input.ts";
import type { LoadOptions } from "./reward-model.ts";
import { type ScoreOptions, type Scorer, type SequenceReward, sequencesOf } from "./scorer.ts";

export interface ImplicitLoadOptions extends Omit<LoadOptions, "initHead" | "seed"> {
  /** Folder of the reference. Default: with an adapter its base; else there is none, and the form must need none. */
  readonly reference?: string | undefined;
  /** Default: the checkpoint's own, else that of the form. */
  readonly beta?: number | undefined;
  /** dpo: a sum over the reply's tokens; norm: its mean. Default: the checkpoint's own, else dpo. */
  readonly form?: ImplicitFormName | undefined;
}

export class ImplicitModel implements Scorer {
  readonly counts: TokenCounts = { computed: 0, padded: 0 };

  private constructor(
    readonly models: LoadedModels,
    readonly form: FormWithBeta,
    readonly config: ModelConfig,
    readonly recipe: InputRecipe,
    readonly found: FoundTokenizer,
    readonly chats: ChatReader,
    readonly mismatches: readonly string[],
    readonly unused: readonly string[],
    private readonly onCompiled: WarmUpProgress | undefined,
  ) {}

  /** @throws InputError naming the file, tensor or option and what to do */
  static async load(gpu: Gpu, dir: string, options: ImplicitLoadOptions = {}): Promise<ImplicitModel> {
    const { ignoreRecipeMismatch = false } = options;
    await using folder = await openModelFolder(dir, { ignoreRecipeMismatch });
    const adapter =
      options.adapter === undefined
        ? undefined
        : await openAdapter(options.adapter, folder, { ignoreRecipeMismatch });
    const stored = storedReward(folder, adapter);
    const form = formOf(options, stored);
    const found = await findTokenizer(dir);
    const source = adapter === undefined ? folder : adaptedInput(folder, adapter);
    const { recipe, chats, mismatches } = await inputOf(source, found, options);
    if (mismatches.length > 0 && !ignoreRecipeMismatch) throw refusal(options.adapter ?? dir, mismatches);
    const reference = form.reference ? options.reference : undefined;
    const other = form.reference ? await checkReference(folder, options, stored) : undefined;
    const models = await loadImplicitModels(gpu, folder, { adapter: options.adapter, reference });
    const { config } = folder;
    const told = [...mismatches, ...(other === undefined ? [] : [other]), ...betaDifference(form, stored)];
    const { unused } = models;
    return new ImplicitModel(
      ...([models, form, config, recipe, found, chats, told, unused] as const),
      options.onCompiled,
    );
  }

  get backbone(): Backbone {
    return this.models.policy.backbone;
  }

  get tokenizer(): Tokenizer | undefined {
    return this.found.tokenizer;
  }

  tokenise(
    content: Content,
    where: string,
    limit: Pick<TokeniseOptions, "maxLength" | "overlong"> = {},
  ): TokenisedContent {
    return sequencesOf(this, content, where, { ...limit, measurePrompts: true });
  }

  /** Rewards, with log π and log π_ref beside. */
  async scores(items: readonly TokenisedContent[], options: ScoreOptions = {}): Promise<ImplicitScore[][]> {
    const replies = items.map((item) => ({
      ...item,
      // Without a prompt, the sequence's first token is all that has no probability.
      replyStarts: item.replyStarts ?? item.sequences.map((ids) => Math.min(1, ids.length)),
    }));
    const { scores, counts } = await implicitScores(this.models, this.form, replies, {
      ...options,
      onCompiled: this.onCompiled,
    });
    this.counts.computed += counts.computed;
    this.counts.padded += counts.padded;
    return scores;
  }

  async scoreItems(
    items: readonly TokenisedContent[],
    options: ScoreOptions = {},
  ): Promise<SequenceReward[][]> {
    const scored = await this.scores(items, options);
    return scored.map((own) =>
      own.map(({ ids, reward, perToken }) =>
        options.perToken ? { ids, reward, perToken } : { ids, reward },
      ),
    );
  }

  /** Every token of a reply counts: there is no one position that is read. */
  differsFromLast(): boolean {
    return false;
  }

  [Symbol.dispose](): void {
    void this.chats.close();
    this.models[Symbol.dispose]();
  }
}

/** What the checkpoint, or the adapter, tells of its reward. */
function storedReward(folder: ModelFolder, adapter: Adapter | undefined): StoredReward | undefined {
  return adapter === undefined
    ? parseReward(folder.config.raw[REWARD_KEY], `${folder.dir}/config.json`)
    : parseReward(adapter.reward, adapter.dir);
}

function formOf({ form, beta }: ImplicitLoadOptions, stored: StoredReward | undefined): FormWithBeta {
  const name = form ?? implicitFormNames.find((own) => own === stored?.form) ?? "dpo";
  if (form === undefined && stored !== undefined && name !== stored.form)
    throw new InputError(
      `The checkpoint's reward has the form ${stored.form}, which this version does not know; give one by --form`,
    );
  const kept = stored?.form === name ? stored.beta : undefined;
  return { ...implicitForms[name], beta: beta ?? kept ?? implicitForms[name].beta };
}

/**
 * @returns what is to be said where the reference is another than in training
 * @throws InputError where there is none, or the base can't stand in for it
 */
async function checkReference(
  folder: ModelFolder,
  { adapter, reference }: ImplicitLoadOptions,
  stored: StoredReward | undefined,
): Promise<string | undefined> {
  const own = stored?.reference;
  const was =
    own === undefined ? "" : `; in training it was ${own.name} (SHA-256 ${own.sha256.slice(0, 12)}...)`;
  if (reference === undefined && adapter === undefined)
    throw new InputError(
      `an implicit reward needs the model that log-probabilities are compared with: --reference DIR${was}`,
    );
  if (own === undefined) return undefined;
  const sha256 = await hashOf(reference, folder);
  if (sha256 === own.sha256) return undefined;
  const found = `${reference ?? folder.dir} (SHA-256 ${sha256.slice(0, 12)}...)`;
  if (reference === undefined)
    throw new InputError(`${adapter} was not trained against its base ${found}: give --reference DIR${was}`);
  return `the reference is ${found}${was}: rewards are not those of the training`;
}

async function hashOf(reference: string | undefined, base: ModelFolder): Promise<string> {
  if (reference === undefined) return hashBase(base, { lmHead: true });
  await using folder = await openModelFolder(reference, { ignoreRecipeMismatch: true });
  return await hashBase(folder, { lmHead: true });
}

function betaDifference({ beta }: FormWithBeta, stored: StoredReward | undefined): string[] {
  return stored === undefined || stored.beta === beta
    ? []
    : [`β is ${beta}, in training it was ${stored.beta}`];
}
