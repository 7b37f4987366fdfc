/** @file How to use a checkpoint without a reward head: rewards made of its log-probabilities, or texts that it continues. */

import { objectives } from "../objectives.ts";
import { implicitForms } from "../rewards/implicit-form.ts";
import type { RunFile } from "../run-file.ts";
import type { CardKind } from "./kind.ts";
import { trainableOf } from "./sections.ts";

/** @param hasTokenizer whether texts can be read; else records are ids */
export function policyUsage(
  run: RunFile,
  kind: Exclude<CardKind, "reward">,
  hasTokenizer: boolean,
): string[] {
  const adapter = trainableOf(run) === "lora";
  const classes = `AutoModelForCausalLM${hasTokenizer ? ", AutoTokenizer" : ""}`;
  return [
    "## Use",
    "",
    ...(kind === "policy" ? rewards(run, adapter) : []),
    `With transformers${adapter ? " and PEFT" : ""} (\`dtype\` is called \`torch_dtype\` before 4.56):`,
    "",
    "```python",
    "import torch",
    ...(adapter ? ["from peft import PeftModel"] : []),
    `from transformers import ${classes}`,
    "",
    `folder = "${adapter ? "BASE_FOLDER" : "THIS_FOLDER"}"`,
    "model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)",
    ...(adapter ? ['model = PeftModel.from_pretrained(model, "THIS_FOLDER").eval()'] : []),
    ...(hasTokenizer
      ? [
          "tokenizer = AutoTokenizer.from_pretrained(folder)",
          'ids = tokenizer("Once upon a time").input_ids  # the input recipe below says how texts begin and end',
        ]
      : ["ids = [1, 2, 3]  # token ids"]),
    "with torch.no_grad():",
    "    logits = model(torch.tensor([ids])).logits  # of the next token, at every position",
    "```",
  ];
}

function rewards(run: RunFile, adapter: boolean): string[] {
  const form = implicitForms[formOf(run)];
  const reference =
    !form.reference || (adapter && run.options.reference == null) ? "" : " --reference REFERENCE_FOLDER";
  const model = adapter ? "--model BASE_FOLDER --adapter THIS_FOLDER" : "--model THIS_FOLDER";
  const which =
    reference === ""
      ? []
      : [
          "The reference is the model that training compared with; its SHA-256 is stored here, and another one is told.",
        ];
  return [
    `A reply's reward is ${form.formula} (--form ${form.name}). ${which.join("")}`.trimEnd(),
    "",
    "```sh",
    `npx rmtrain score --reward implicit ${model}${reference} --data texts.jsonl`,
    "```",
    "",
  ];
}

function formOf({ options }: RunFile): keyof typeof implicitForms {
  const { form, objective } = options;
  if (typeof form === "string" && form in implicitForms) return form as keyof typeof implicitForms;
  return typeof objective === "string" && objective in objectives
    ? objectives[objective as keyof typeof objectives].form
    : "dpo";
}
