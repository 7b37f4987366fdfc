/** @file What to type next. */
import { html } from "../html.ts";
import type { ReportInput } from "../input.ts";
import { list, type Section } from "../parts.ts";

export function nextSection({ out, run, status, heldOut }: ReportInput): Section {
  const folder = shellWord(out);
  const data = shellWord(String(run.options.eval_data ?? run.options.data ?? "prefs.jsonl"));
  const commands: [string, string][] =
    status.state === "finished"
      ? [
          [
            `npx rmtrain trace --model ${folder} "I love you"`,
            "the reward of every beginning of a text, so of every word as it comes",
          ],
          [
            `npx rmtrain eval --model ${folder} --data ${data}`,
            "accuracy with intervals on any file of pairs, overall and by the records’ fields",
          ],
          [
            `npx rmtrain score --model ${folder} --data ${data} --out rewards.jsonl`,
            "rewards of any file of pairs or texts",
          ],
          [
            `npx rmtrain train --config ${folder}/run.json --seed 1`,
            "the same run with another seed: how much of the result is chance",
          ],
          ...(heldOut === undefined
            ? [
                [
                  `npx rmtrain train --config ${folder}/run.json --eval-split 0.1`,
                  "the same run with pairs held out, so that there is an accuracy",
                ] satisfies [string, string],
              ]
            : []),
        ]
      : [
          [
            `npx rmtrain train --resume ${folder}`,
            "goes on from the newest saved state, where the run has ended before its last step",
          ],
          [
            `npx rmtrain train --config ${folder}/run.json`,
            "runs it again from the beginning, into another folder",
          ],
        ];
  return {
    id: "next",
    title: "What to do next",
    body: list(
      commands.map(([command, what]) => html`<code class="command">${command}</code><br>${what}`),
      "commands",
    ),
  };
}

/** A path as one word of a shell's command line. */
function shellWord(path: string): string {
  return /^[\w./@:+,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
