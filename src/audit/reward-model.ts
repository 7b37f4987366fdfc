/** @file A reward model ready to use: texts or ids in, rewards out; the reward of every prefix of a text. */
import type { BosRule } from "../data/bos.ts";
import type { Content, Message } from "../data/content.ts";
import type { Item } from "../data/pack.ts";
import type { TokenisedContent, TokeniseOptions } from "../data/tokenise.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { WarmUpProgress } from "../gpu/warm-up.ts";
import { gatherRows } from "../kernels/embedding.ts";
import { linear } from "../kernels/linear.ts";
import { rowOf, sequenceLength } from "../kernels/packed-batch.ts";
import type { AttachedAdapter } from "../model/adapter/attach.ts";
import { openAdapter } from "../model/adapter/open-adapter.ts";
import type { Backbone } from "../model/backbone.ts";
import type { ChatChoice, ChatReader } from "../model/chat/chat-reader.ts";
import type { ModelConfig } from "../model/config.ts";
import { loadBackbone } from "../model/load.ts";
import { openModelFolder } from "../model/model-folder.ts";
import { type InputRecipe, readIndex } from "../model/recipe.ts";
import { readHead, uploadHead } from "../model/reward-head.ts";
import { REWARD_KEY } from "../model/stored-reward.ts";
import { type FoundTokenizer, findTokenizer, type Tokenizer } from "../model/tokenizer.ts";
import { readTensor, type Tensor, uploadTensor } from "../tensor/tensor.ts";
import { initialHead } from "../train/head-init.ts";
import type { HeadInit } from "../train/options.ts";
import {
  defaultBatchTokens,
  type RunOptions,
  readRows,
  runBatches,
  type TokenCounts,
} from "../train/run-batches.ts";
import { adaptedInput, contentOf, inputOf, noHead, refusal } from "./model-input.ts";
import {
  type ScoreOptions,
  type Scorer,
  type SequenceReward,
  sequencesOf,
  type TracePoint,
  textItem,
  traceText,
} from "./scorer.ts";

export type { ScoreOptions, SequenceReward, TracePoint } from "./scorer.ts";

export interface LoadOptions extends ChatChoice {
  /** Folder of a LoRA adapter in PEFT's layout, with its head, to put on the model. */
  readonly adapter?: string | undefined;
  /** What to do where the checkpoint, or the adapter, has no head. Default "keep": that is an error. */
  readonly initHead?: HeadInit;
  /** Of a random head. Default 0. */
  readonly seed?: number;
  /** How texts begin. Default: as the checkpoint's recipe says, else "auto". */
  readonly bos?: BosRule | undefined;
  /** Go on where the input would be read otherwise than in training: `mismatches` says what differs. */
  readonly ignoreRecipeMismatch?: boolean | undefined;
  /** Called while the device's driver compiles what a batch needs; not where it has it from earlier runs. */
  readonly onCompiled?: WarmUpProgress | undefined;
}

export class RewardModel implements Scorer {
  /** Tokens computed so far, and what padded batches would have computed. */
  readonly counts: TokenCounts = { computed: 0, padded: 0 };

  private constructor(
    readonly gpu: Gpu,
    readonly backbone: Backbone,
    /** [1, H] f32 */
    readonly head: Tensor,
    readonly recipe: InputRecipe,
    readonly hasRecipe: boolean,
    readonly found: FoundTokenizer,
    /** Makes texts of conversations. */
    readonly chats: ChatReader,
    /** What is not as the model was trained to read it; empty unless that was to be ignored. */
    readonly mismatches: readonly string[],
    /** Names of the checkpoint's tensors that were not used. */
    readonly unused: readonly string[],
    /** Belongs to this model; on the backbone already. */
    private readonly adapter: AttachedAdapter | undefined,
    private readonly onCompiled: WarmUpProgress | undefined,
  ) {}

  /**
   * Loads a folder in Hugging Face's layout: ours, or any *ForSequenceClassification with one label of a known family.
   * @throws InputError naming the file or tensor and what to do
   */
  static async load(gpu: Gpu, dir: string, options: LoadOptions = {}): Promise<RewardModel> {
    const { ignoreRecipeMismatch = false } = options;
    await using folder = await openModelFolder(dir, { ignoreRecipeMismatch });
    const { config } = folder;
    const adapter =
      options.adapter === undefined
        ? undefined
        : await openAdapter(options.adapter, folder, { ignoreRecipeMismatch });
    const own = adapter === undefined ? await readHead(folder) : adapter.head;
    const init = options.initHead ?? "keep";
    if (own === undefined && init === "keep") {
      const implicit = adapter === undefined ? config.raw[REWARD_KEY] : adapter.reward;
      throw noHead(dir, options.adapter, implicit !== undefined);
    }
    const found = await findTokenizer(dir);
    const source = adapter === undefined ? folder : adaptedInput(folder, adapter);
    const { recipe, chats, mismatches } = await inputOf(source, found, options);
    if (mismatches.length > 0 && !ignoreRecipeMismatch) throw refusal(options.adapter ?? dir, mismatches);
    const head = uploadHead(gpu, initialHead(init, own, config.hiddenSize, options.seed ?? 0), config);
    const loaded = await loadBackbone(gpu, folder, adapter).catch((error: unknown) => {
      gpu.release(head.buffer);
      throw error;
    });
    const { backbone, unused } = loaded;
    const { hasRecipe } = source;
    return new RewardModel(
      ...([gpu, backbone, head, recipe, hasRecipe, found, chats, mismatches, unused] as const),
      loaded.adapter,
      options.onCompiled,
    );
  }

  /** Undefined where the folder has none: records must be ids then. */
  get tokenizer(): Tokenizer | undefined {
    return this.found.tokenizer;
  }

  get config(): ModelConfig {
    return this.backbone.config;
  }

  /**
   * Rewards of texts and of conversations, in order, as the checkpoint's recipe reads them: of what the last message
   * of a conversation says. Raw values, never a sigmoid.
   */
  async score(
    inputs: readonly (string | readonly Message[])[],
    options: ScoreOptions = {},
  ): Promise<number[]> {
    const records = inputs.map((input, i) => ({ where: `input ${i}`, content: contentOf(input) }));
    const items = (await this.chats.render(records)).map((r) => this.tokenise(r.content, r.where));
    return (await this.scoreItems(items, options)).map(([only]) => only?.reward ?? Number.NaN);
  }

  /** The ids of a text with the checkpoint's recipe: its special tokens, and EOS where the recipe adds one. */
  encode(text: string, where = "text"): Int32Array {
    return textItem(this, text, where).sequences[0] ?? new Int32Array();
  }

  /**
   * The sequences of one record, by the checkpoint's recipe.
   * @param where how errors begin
   * @throws InputError on an empty sequence, an id outside the vocabulary, text without a tokenizer, or more tokens
   * than learned positions
   */
  tokenise(
    content: Content,
    where: string,
    limit: Pick<TokeniseOptions, "maxLength" | "overlong"> = {},
  ): TokenisedContent {
    return sequencesOf(this, content, where, limit);
  }

  /** Rewards of items' sequences, `[item][sequence]`; prompts that sequences share are computed once. */
  async scoreItems(items: readonly Item[], options: ScoreOptions = {}): Promise<SequenceReward[][]> {
    const results: SequenceReward[][] = items.map(() => []);
    const { batchTokens = defaultBatchTokens, perToken = false, onProgress } = options;
    const run: RunOptions = { batchTokens, onProgress, onCompiled: this.onCompiled };
    const counts = await runBatches(this.backbone, items, run, {
      name: perToken ? "rewards of prefixes" : "rewards of sequences",
      record: ({ batch }, hidden) => {
        const leaves = readRows(batch, (ids) => this.#readIndex(ids));
        return { leaves, rewards: this.#rewards(perToken ? hidden : this.#gather(hidden, leaves)) };
      },
      take: async ({ leaves, rewards }, { batch, items: indices }) => {
        const values = await readTensor(this.gpu, rewards);
        let n = 0;
        for (const i of indices) {
          for (const ids of items[i]!.sequences) {
            if (perToken) {
              const at = (p: number) => values[rowOf(batch, n, p)]!;
              const own = Float32Array.from({ length: sequenceLength(batch, n) }, (_, p) => at(p));
              results[i]!.push({ ids, reward: values[leaves[n]!]!, perToken: own });
            } else {
              results[i]!.push({ ids, reward: values[n]! });
            }
            n++;
          }
        }
      },
    });
    this.counts.computed += counts.computed;
    this.counts.padded += counts.padded;
    return results;
  }

  /** The reward of every prefix of a text, from one causal pass. */
  trace(text: string): Promise<TracePoint[]> {
    return traceText(this, text);
  }

  /** Gives every buffer back to the pool. */
  release(): void {
    void this.chats.close();
    this.adapter?.release();
    this.backbone.release();
    this.gpu.release(this.head.buffer);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /** Whether Hugging Face's rule (the rightmost id that isn't pad_token_id) reads `ids` before their last token. */
  differsFromLast(ids: Int32Array): boolean {
    const rule = { readPosition: "rightmost-non-pad" } as const;
    return readIndex(ids, rule, this.config.padTokenId) !== ids.length - 1;
  }

  #readIndex(ids: Int32Array): number {
    return readIndex(ids, this.recipe, this.config.padTokenId);
  }

  #gather(hidden: Tensor, rows: Int32Array): Tensor {
    return gatherRows(
      this.gpu,
      hidden,
      uploadTensor(this.gpu, rows, 1, "leaf rows", { capacity: hidden.capacity }),
    );
  }

  /** [n, H] -> [n, 1] */
  #rewards(features: Tensor): Tensor {
    return linear(this.gpu, features, this.head);
  }
}
