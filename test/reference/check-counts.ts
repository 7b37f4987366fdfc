/**
 * @file What the check of the data has to count in files of text pairs or conversations, written from the definitions alone: nothing
 * of src/ is used, every record is looked at in full, and nothing is clever.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";

export interface CountOptions {
  readonly train: string;
  readonly held: string;
  readonly model: string;
  readonly maxLength: number;
  /** Cut at the right only in files of texts: what is told apart there is the EOS, not an end of turn. */
  readonly truncate?: "left" | "right";
}

interface Message {
  readonly role: string;
  readonly content: string;
}

interface Row {
  readonly set: "training" | "held-out";
  readonly prompt: string;
  readonly replies: readonly [string, string];
  /** Replies without what a template puts around them. */
  readonly own: readonly [string, string];
  readonly id: unknown;
  /** Ids of the whole sides, and as cut. */
  readonly whole: readonly number[][];
  readonly cut: readonly number[][];
  /** Ids of the prompt alone. */
  readonly alone: readonly number[];
}

const json = (file: string) => JSON.parse(readFileSync(file, "utf8"));

/** Counts by "check set" (by "check" where both sets count together); checks that find nothing are not in it. */
export function countRuins(options: CountOptions): Record<string, number> {
  const settings = json(join(options.model, "tokenizer_config.json"));
  const tokenizer = new Tokenizer(json(join(options.model, "tokenizer.json")), settings);
  const config = json(join(options.model, "config.json"));
  const special = (name: string) => (settings[name] ? tokenizer.token_to_id(settings[name]) : undefined);
  const [bos, eos, unk] = [special("bos_token"), special("eos_token"), special("unk_token")];
  const closed = (text: string) => {
    const { ids } = tokenizer.encode(text);
    return ids[ids.length - 1] === eos ? ids : [...ids, eos ?? -1];
  };
  const cutTo = (ids: number[]): number[] => {
    if (ids.length <= options.maxLength || options.truncate === undefined) return ids;
    const room = options.maxLength;
    if (options.truncate === "right") return [...ids.slice(0, room - 1), eos ?? -1];
    return ids[0] === bos
      ? [ids[0] ?? -1, ...ids.slice(ids.length - (room - 1))]
      : ids.slice(ids.length - room);
  };
  /** As the planted chat.jinja writes it: the last message is the reply, all before it is shared. */
  const conversation = (chosen: Message[], rejected: Message[], set: Row["set"]): Row => {
    const turn = ({ role, content }: Message) => `<${role}>\n${content}<end>\n`;
    const prompt = `<s>${chosen.slice(0, -1).map(turn).join("")}<assistant>\n`;
    const own = [chosen.at(-1)?.content ?? "", rejected.at(-1)?.content ?? ""] as const;
    const replies = [`${own[0]}<end>\n`, `${own[1]}<end>\n`] as const;
    const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
    const whole = replies.map((reply) => encode(prompt + reply));
    return { set, prompt, replies, own, id: undefined, whole, cut: whole.map(cutTo), alone: encode(prompt) };
  };
  const read = (file: string, set: Row["set"]): Row[] =>
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => {
        const record = JSON.parse(line);
        if (Array.isArray(record.chosen)) return conversation(record.chosen, record.rejected, set);
        const { prompt = "", chosen, rejected, id } = record;
        const whole = [closed(prompt + chosen), closed(prompt + rejected)];
        const alone = prompt === "" ? [] : tokenizer.encode(prompt).ids;
        const replies = [chosen, rejected] as const;
        return { set, prompt, replies, own: replies, id, whole, cut: whole.map(cutTo), alone };
      });
  const rows = [...read(options.train, "training"), ...read(options.held, "held-out")];

  const counts: Record<string, number> = {};
  const add = (name: string, n: number) => {
    if (n > 0) counts[name] = (counts[name] ?? 0) + n;
  };
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const used: Row[] = [];
  for (const row of rows) {
    const { set, replies, whole, cut } = row;
    const tooLong = whole.some((ids) => ids.length > options.maxLength);
    if (replies[0] === replies[1]) add(`identical-pairs ${set}`, 1);
    else if (same(whole[0], whole[1])) add(`identical-tokens ${set}`, 1);
    else if (tooLong && options.truncate === undefined) add(`too-long ${set}`, 1);
    else if (same(cut[0], cut[1])) add(`identical-after-truncation ${set}`, 1);
    else used.push(row);
    if (options.truncate === undefined) continue;
    for (const side of [0, 1]) {
      const [ids, left] = [whole[side] ?? [], cut[side] ?? []];
      const prompt = shared(row.alone, ids);
      if (row.prompt === "" || ids.length === left.length) continue;
      // What stands between the prompt and the EOS, before the cut and after it.
      if (options.truncate === "right" && ids.length - 1 > prompt && left.length - 1 <= prompt)
        add(`reply-cut-away ${set}`, 1);
      if (
        options.truncate === "left" &&
        left.length - 1 - (left[0] === bos ? 1 : 0) <= ids.length - 1 - prompt
      )
        add(`prompt-cut-away ${set}`, 1);
    }
  }

  for (const { set, whole, cut, own, prompt, alone } of used) {
    for (const side of [0, 1]) {
      const ids = cut[side] ?? [];
      if (ids.length < (whole[side]?.length ?? 0)) add(`truncated ${set}`, 1);
      if (ids.length > config.max_position_embeddings) add(`beyond-positions ${set}`, 1);
      if (ids[0] === bos && ids[1] === bos) add(`doubled-bos ${set}`, 1);
      const later = ids.filter((id, i) => id === bos && ids.slice(0, i).some((other) => other !== bos));
      if (bos !== eos && later.length > 0) add(`bos-inside ${set}`, 1);
      if (unk !== undefined && ids.includes(unk)) add(`unknown-tokens ${set}`, 1);
      if (ids.length > 1 && ids[ids.length - 1] === config.pad_token_id) add(`pad-ending ${set}`, 1);
      if (own[side]?.trim() === "") add(`empty-reply ${set}`, 1);
    }
    const begins = whole.every((ids) => same(ids.slice(0, alone.length), alone));
    if (prompt !== "" && !begins) add(`prompt-boundary ${set}`, 1);
  }

  for (const set of ["training", "held-out"] as const) {
    const pairs = used.filter((row) => row.set === set);
    const texts = new Map<string, number>();
    for (const { prompt, replies } of pairs) {
      const key = JSON.stringify([prompt, ...replies]);
      texts.set(key, (texts.get(key) ?? 0) + 1);
    }
    for (const n of texts.values()) add(`duplicate-pairs ${set}`, n - 1);
    for (const { prompt, replies } of pairs)
      if (texts.has(JSON.stringify([prompt, replies[1], replies[0]]))) add(`contradictory-pairs ${set}`, 1);

    const longer = pairs.reduce((sum, { replies: [a, b] }) => {
      const [x, y] = [Array.from(a).length, Array.from(b).length];
      return sum + (x > y ? 1 : x === y ? 0.5 : 0);
    }, 0);
    const share = longer / pairs.length;
    const error = 0.5 / Math.sqrt(pairs.length);
    if ((share < 0.4 || share > 0.6) && Math.abs(share - 0.5) > 3 * error)
      add(`length-rule ${set}`, pairs.length);
    if (bestFormat(pairs) >= 0.9 && bestFormat(pairs) - 0.5 > 3 * error)
      add(`format-rule ${set}`, pairs.length);
  }

  const key = ({ prompt, replies }: Row) => JSON.stringify(prompt === "" ? [...replies].sort() : prompt);
  const trained = new Set(used.filter((row) => row.set === "training").map(key));
  for (const row of used) if (row.set === "held-out" && trained.has(key(row))) add("train-eval-overlap", 1);
  const ids = new Set<string>();
  for (const { set, id } of used) {
    if (typeof id !== "string" && typeof id !== "number") continue;
    const named = JSON.stringify([set, id]);
    if (ids.has(named)) add("duplicate-ids", 1);
    ids.add(named);
  }
  return counts;
}

/** How many ids both begin with. */
function shared(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((id, i) => id !== b[i]);
  return at < 0 ? a.length : at;
}

/** The best share of right answers of "the reply with this first word, first sign or last sign is better" (or worse). */
function bestFormat(pairs: readonly Row[]): number {
  const views: readonly ((reply: string) => string | undefined)[] = [
    (reply) => reply.trim().split(/\s+/)[0] || undefined,
    (reply) => Array.from(reply)[0],
    (reply) => Array.from(reply).at(-1),
  ];
  let best = 0;
  for (const view of views) {
    const seen = pairs.map(({ own }) => own.map(view));
    for (const value of new Set(seen.flat())) {
      if (value === undefined) continue;
      let right = 0;
      for (const [a, b] of seen) right += (a === value) === (b === value) ? 0.5 : a === value ? 1 : 0;
      best = Math.max(best, right / pairs.length, 1 - right / pairs.length);
    }
  }
  return best;
}
