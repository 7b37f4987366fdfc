/** @file Records with conversations in, records of text out, by whichever chat template there is. */
import type { ChatContent, Content, RecordContent } from "../../data/content.ts";
import { InputError } from "../../errors.ts";
import type { Tokenizer } from "../tokenizer.ts";
import type { RenderedChat } from "./conversation.ts";
import { clockOf } from "./date.ts";
import { ChatRenderer } from "./renderer.ts";
import { specialTokens } from "./special-tokens.ts";
import { type ChatTemplate, findChatTemplate, readChatTemplate } from "./template.ts";

/** What a user may say about the template. */
export interface ChatChoice {
  /** A Jinja file, or a model folder whose template is taken. Default: the model's own. */
  readonly chatTemplate?: string | undefined;
  /** Of one among several. Default: "default". */
  readonly chatTemplateName?: string | undefined;
  /** What strftime_now reads, "YYYY-MM-DD" or "YYYY-MM-DDTHH:MM:SS". Default: the time now. */
  readonly chatDate?: string | undefined;
}

/** What a template writes after the last reply. */
export interface Ending {
  readonly text: string;
  /** Conversations that end so, and some of their texts. */
  count: number;
  readonly samples: string[];
}

const sampleSize = 64;

interface Readable {
  readonly where: string;
  readonly content: RecordContent;
}
/** The same record without conversations. */
export type Rendered<R> = Omit<R, "content"> & { readonly content: Content };

export class ChatReader implements AsyncDisposable {
  /** Records of text and conversations so far. */
  readonly seen = { texts: 0, conversations: 0 };
  readonly #kinds = { "generation-prompt": 0, plain: 0, cut: 0 };
  readonly #endings = new Map<string, Ending>();
  #renderer: ChatRenderer | undefined;

  /** @param open called when the first conversation comes, with what messages call it */
  constructor(private readonly open: (where: string) => Promise<ChatRenderer>) {}

  /** The template, once a conversation was rendered. */
  get template(): ChatTemplate | undefined {
    return this.#renderer?.template;
  }

  /** What the template's clock showed, if it has looked. */
  get clock(): string | undefined {
    return this.#renderer?.readClock === true ? this.#renderer.clock : undefined;
  }

  /** What stands after the last reply in most conversations; undefined where it differs too much to say. */
  get ending(): Ending | undefined {
    const [most] = [...this.#endings.values()].sort((a, b) => b.count - a.count);
    return most !== undefined && most.count > this.seen.conversations / 2 ? most : undefined;
  }

  /**
   * The records with their conversations as text, in order; records of text and ids are the same objects.
   * @throws InputError where there is a conversation but no template, or one that can't render it
   */
  async render<R extends Readable>(records: readonly R[]): Promise<Rendered<R>[]> {
    const chats = records.flatMap(({ where, content }) =>
      content.kind === "chat" ? [{ where, content }] : [],
    );
    const texts = chats[0] === undefined ? [] : await (await this.#opened(chats[0].where)).render(chats);
    this.seen.texts += records.filter(({ content }) => content.kind === "text").length;
    for (const text of texts) this.#count(text);
    let next = 0;
    return records.map((record) => {
      const { content } = record;
      return { ...record, content: content.kind === "chat" ? toText(content, texts[next++]!) : content };
    });
  }

  /** The same, but a record that can't be rendered is its error and takes no other with it. */
  async renderEach<R extends Readable>(records: readonly R[]): Promise<(Rendered<R> | InputError)[]> {
    try {
      return await this.render(records);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (records.length <= 1) return [error];
    }
    const each: (Rendered<R> | InputError)[] = [];
    for (const record of records) each.push(...(await this.renderEach([record])));
    return each;
  }

  async #opened(where: string): Promise<ChatRenderer> {
    this.#renderer ??= await this.open(where);
    return this.#renderer;
  }

  #count({ prompt, replies, promptKind, ending: text }: RenderedChat): void {
    this.seen.conversations++;
    this.#kinds[promptKind]++;
    if (text === undefined) return;
    const ending = this.#endings.get(text) ?? { text, count: 0, samples: [] };
    this.#endings.set(text, ending);
    ending.count++;
    if (ending.samples.length < sampleSize) ending.samples.push(...replies.map((reply) => prompt + reply));
  }

  /** What a user should know of the rendering, one line each. */
  notes(): string[] {
    const { template, clock } = this;
    if (template === undefined) return [];
    const { conversations } = this.seen;
    const { plain, cut } = this.#kinds;
    const notes = [`${conversations} conversations are rendered by the chat template ${template.origin}`];
    if (plain > 0) {
      notes.push(
        `In ${plain} of them the reply does not follow the generation prompt (add_generation_prompt): the template writes another beginning of a turn, which counts as the reply's`,
      );
    }
    if (cut > 0) {
      notes.push(
        `In ${cut} of them the template writes earlier turns otherwise once a reply follows: what the replies' texts have in common at the beginning is taken for the prompt`,
      );
    }
    if (clock !== undefined) {
      notes.push(
        `The chat template writes the date: it is rendered as of ${clock}, which the checkpoint keeps (--chat-date sets it)`,
      );
    }
    return notes;
  }

  async close(): Promise<void> {
    await this.#renderer?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function toText(chat: ChatContent, { prompt, replies }: RenderedChat): Content {
  return { kind: "text", prompt, replies, chat };
}

/**
 * The template that conversations go by; undefined where there is none.
 * @param dir the model's folder, whose own is taken where the choice names none
 * @throws InputError where the choice names one that isn't there
 */
export async function chosenTemplate(
  dir: string,
  { chatTemplate, chatTemplateName }: ChatChoice,
): Promise<ChatTemplate | undefined> {
  return chatTemplate === undefined
    ? findChatTemplate(dir, chatTemplateName)
    : readChatTemplate(chatTemplate, chatTemplateName);
}

/**
 * For the conversations that a model is to read.
 * @param dir the model's folder, whose special tokens the template writes
 * @param chatDate what strftime_now reads
 */
export function chatReader(
  dir: string,
  tokenizer: Tokenizer | undefined,
  template: ChatTemplate | undefined,
  chatDate?: string,
): ChatReader {
  return new ChatReader(async (where) => {
    if (template === undefined) throw new InputError(`${where}: ${noTemplate(dir)}`);
    return new ChatRenderer(template, {
      specialTokens: await specialTokens(dir, tokenizer),
      ...(chatDate === undefined ? {} : { clock: clockOf(chatDate) }),
    });
  });
}

function noTemplate(dir: string): string {
  return `a conversation needs a chat template, and ${dir} has none (no chat_template.jinja, no chat_template in tokenizer_config.json). Give one: --chat-template FILE.jinja, or --chat-template DIR of a model that has one`;
}
