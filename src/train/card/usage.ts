/** @file How to score with this very checkpoint: by rmtrain, and by transformers with the input that its recipe asks for. */
import type { InputRecipe } from "../../model/recipe.ts";

export interface UsageOptions {
  /** Whether texts can be read; else records are ids. */
  readonly hasTokenizer: boolean;
  /** The folder holds low-rank updates, which stand beside the base's weights. */
  readonly adapter: boolean;
}

export function usage(recipe: InputRecipe, { hasTokenizer, adapter }: UsageOptions): string[] {
  const classes = `AutoModelForSequenceClassification${hasTokenizer ? ", AutoTokenizer" : ""}`;
  return [
    "## Use",
    "",
    "Rewards are raw values: only differences between replies to one prompt mean something. No sigmoid, no softmax.",
    "",
    "```sh",
    ...(adapter ? adapterCommands : modelCommands),
    "```",
    "",
    `With transformers${adapter ? " and PEFT" : ""} (\`dtype\` is called \`torch_dtype\` before 4.56):`,
    "",
    "```python",
    "import torch",
    ...(adapter ? ["from peft import PeftModel"] : []),
    `from transformers import ${classes}`,
    "",
    ...(adapter ? adapterLoading(recipe) : modelLoading),
    ...(hasTokenizer ? encoding(recipe) : ["ids = [1, 2, 3]  # prompt and reply as token ids"]),
    "with torch.no_grad():",
    "    reward = model(torch.tensor([ids])).logits[0, 0].item()",
    "```",
  ];
}

const modelCommands = [
  "npx rmtrain score --model THIS_FOLDER --data texts.jsonl    # follows the input recipe by itself",
];

const modelLoading = [
  'folder = "THIS_FOLDER"',
  "model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)",
];

const adapterCommands = [
  "# follows the input recipe by itself",
  "npx rmtrain score --model BASE_FOLDER --adapter THIS_FOLDER --data texts.jsonl",
  "# one checkpoint that needs neither of them",
  "npx rmtrain merge --model BASE_FOLDER --adapter THIS_FOLDER --out MERGED_FOLDER",
];

function adapterLoading({ readPosition }: InputRecipe): string[] {
  return [
    'folder = "BASE_FOLDER"',
    "model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1, dtype=torch.float32)",
    ...(readPosition === "last"
      ? ["model.config.pad_token_id = None  # one text at a time: the reward is read at its last token"]
      : []),
    'model = PeftModel.from_pretrained(model, "THIS_FOLDER").eval()',
  ];
}

function encoding(recipe: InputRecipe): string[] {
  const { addEos, eosTokenId, chat, bos, tokenizer } = recipe;
  const ends = chat?.addEos ?? addEos;
  return [
    "tokenizer = AutoTokenizer.from_pretrained(folder)",
    ...(chat === undefined
      ? ["ids = tokenizer(prompt + reply).input_ids  # nothing stands between prompt and reply"]
      : rendering(chat)),
    ...beginning(bos, tokenizer?.bosTokenId),
    ...(ends && eosTokenId !== undefined
      ? [
          `if ids[-1] != ${eosTokenId}:  # it was trained on texts that end in this token, and reads the reward there`,
          `    ids.append(${eosTokenId})`,
        ]
      : []),
  ];
}

function rendering({ clock }: NonNullable<InputRecipe["chat"]>): string[] {
  return [
    'messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]',
    "text = tokenizer.apply_chat_template(messages, tokenize=False)",
    ...(clock === undefined
      ? []
      : [
          `# its template writes today's date; it was trained with that of ${clock.slice(0, 10)}: put it in its place`,
        ]),
    "ids = tokenizer(text, add_special_tokens=False).input_ids  # the template has written them",
  ];
}

/** Where the recipe has a rule of its own for the token that texts begin with. */
function beginning(rule: InputRecipe["bos"], bosTokenId: number | undefined): string[] {
  if (bosTokenId === undefined || rule === undefined || rule === "auto") return [];
  const stripped = [`while ids[:1] == [${bosTokenId}]:`, "    ids = ids[1:]"];
  return rule === "never" ? stripped : [...stripped, `ids = [${bosTokenId}] + ids  # exactly one BOS`];
}
