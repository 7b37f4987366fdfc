/** @file The base's model card: what it has read, how it was trained, what it predicts and what it is not for. */
import type { BitsPerByte } from "./bits-per-byte.ts";
import { type CurvePoint, curveTable } from "./curve.ts";
import type { PretrainSettings } from "./settings.ts";
import type { TextFacts } from "./texts.ts";

export interface CardFacts {
  readonly name: string;
  readonly settings: PretrainSettings;
  readonly parameters: number;
  readonly train: readonly TextFacts[];
  readonly valid: readonly TextFacts[];
  readonly curve: readonly CurvePoint[];
  /** On the held-out texts, the trained model and the untrained one. */
  readonly trained: BitsPerByte;
  readonly adapter: string;
  /** Markdown: the works, and what others reach on the held-out texts. */
  readonly works: string;
}

export function baseCard(facts: CardFacts): string {
  const { name, settings, parameters, train, valid, curve, trained, adapter, works } = facts;
  const { shape, initialisation, batchSize, maxLength, steps, lr, warmupRatio, weightDecay, seed } = settings;
  const tokens = curve.reduce((most, point) => Math.max(most, point.tokens ?? 0), 0);
  const text = (files: readonly TextFacts[]) =>
    files
      .map((file) => `\`${file.name}\` (${count(file.bytes)} bytes, sha256 \`${file.sha256}\`)`)
      .join(", ");
  return `---
license: mit
language: en
tags: [llama, causal-lm]
---

# ${name}: a small pretrained base

A Llama of ${(parameters / 1e6).toFixed(2)} million parameters that has read English books, so that a fresh clone trains on a base that has
read something. It writes no sense; it is a base to try reward models on. Put a larger model in its place (\`--model DIR\`) for anything real.

| | |
|---|---|
| architecture | \`LlamaForCausalLM\`, embeddings tied, ${count(parameters)} parameters, bfloat16 |
| sizes | width ${shape.width}, ${shape.layers} layers, ${shape.heads} heads of ${shape.width / shape.heads}, MLP ${shape.mlpWidth}, vocabulary ${shape.vocabulary}, ${shape.positions} positions (sequences it was trained on: up to ${maxLength} tokens) |
| tokenizer | byte-level BPE with GPT-2's word pattern, trained on the same text; \`<\\|endoftext\\|>\` (id 0) begins every text and ends those that are trained on, \`<\\|pad\\|>\` (id 1) fills |
| held-out text | **${trained.bitsPerByte.toFixed(3)} bits per byte**, ${trained.perToken.toFixed(3)} nats per token (windows of ${maxLength} tokens, at least half of them before each predicted one) |

## Training

\`rmtrain train --objective lm --trainable full\`, by \`npx tsx scripts/make-base.ts --text DIR\` (any folder of text does).

| | |
|---|---|
| steps | ${count(steps)} of ${batchSize} sequences of up to ${maxLength} tokens, ${count(tokens)} tokens in all |
| optimiser | AdamW, rate ${lr} with warm-up ${warmupRatio} and cosine, weight decay ${weightDecay} (not on norms), clipping 1.0, seed ${seed} |
| weights at first | normal, standard deviation ${initialisation.std}; \`o_proj\` and \`down_proj\` divided by sqrt(2 x layers); norms 1; seed ${initialisation.seed} |
| adapter | ${adapter} |
| trained on | ${text(train)} |
| held out | ${text(valid)} |

Loss in nats per token; "watched" is a ${percent(settings.watched)} share of the training text that no step saw.

${curveTable(curve)}

${works.trim()}
`;
}

const count = (n: number) => n.toLocaleString("en-US");
const percent = (share: number) => `${100 * share} %`;
