/** @file `rmtrain trace`: the reward of every prefix of a text. */
import type { Command } from "commander";
import { type TracePoint, traceText } from "../audit/scorer.ts";
import { openGpu } from "../kernels/open.ts";
import { addRewardOptions, openScorer, type RewardFlags } from "./open-scorer.ts";
import { addModelOptions, noteLoaded } from "./score.ts";
import { withLineOutput } from "./score-output.ts";

interface Flags extends RewardFlags {
  readonly json?: true;
}

export function register(program: Command): void {
  const command = program
    .command("trace")
    .description("print the reward of every prefix of a text, from one causal pass")
    .argument("<text>", "the text; -: standard input");
  addRewardOptions(addModelOptions(command))
    .option("--json", "a JSON array of {token_id, token, prefix, reward} (default: a line for each prefix)")
    .action(run);
}

async function run(text: string, flags: Flags): Promise<void> {
  const input = text === "-" ? await standardInput() : text;
  using gpu = await openGpu({ memoryBudget: flags.memoryBudget, precision: flags.precision });
  using model = await openScorer(gpu, flags);
  noteLoaded(model, gpu.precision);
  const points = await traceText(model, input);
  const shown = flags.json ? `${JSON.stringify(points.map(asJson), null, 2)}\n` : points.map(asLine).join("");
  await withLineOutput("-", (write) => write(shown));
}

const asJson = ({ tokenId, token, prefix, reward }: TracePoint) => ({
  token_id: tokenId,
  token,
  prefix,
  reward,
});

const asLine = ({ reward, prefix }: TracePoint) =>
  `Reward: ${reward.toFixed(3)} | Substring: ${escapeControls(prefix)}\n`;

/** Newlines, and whatever else would move a terminal's cursor, as JSON escapes them: a prefix stays on its line. */
function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (c) => {
    const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[c];
    return short ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** All of standard input, without the newline that `echo` adds at its end. */
async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}
