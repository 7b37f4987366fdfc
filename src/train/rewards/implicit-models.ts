/** @file The models that an implicit reward is made of, from their folders to the device: a policy and its reference. */
import { InputError } from "../../errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { openAdapter } from "../../model/adapter/open-adapter.ts";
import { type CausalLm, loadCausalLm } from "../../model/causal-lm.ts";
import { type ModelFolder, openModelFolder } from "../../model/model-folder.ts";
import type { ImplicitModels } from "./implicit-scorer.ts";

/** Folders. */
export interface PolicyFolders {
  /** The policy or, with an adapter, its base. */
  readonly dir: string;
  readonly adapter?: string | undefined;
  /** Default: with an adapter the base itself, its updates off; else none. */
  readonly reference?: string | undefined;
}

export interface LoadedModels extends ImplicitModels, Disposable {
  /** Names of the policy's tensors that nothing asked for. */
  readonly unused: readonly string[];
}

/** @throws InputError where two models have other vocabularies: one's token ids would mean others in the other */
export function checkSameTokens(policy: ModelFolder, reference: ModelFolder): void {
  const [own, other] = [policy.config.vocabSize, reference.config.vocabSize];
  if (own === other) return;
  throw new InputError(
    `--reference ${reference.dir} has ${other} tokens and ${policy.dir} has ${own}: a reference reads with its policy's tokenizer`,
  );
}

/** @param policy opened already */
export async function loadImplicitModels(
  gpu: Gpu,
  policy: ModelFolder,
  { adapter, reference }: Omit<PolicyFolders, "dir">,
): Promise<LoadedModels> {
  const updates =
    adapter === undefined ? undefined : await openAdapter(adapter, policy, { ignoreRecipeMismatch: true });
  const own = await loadCausalLm(gpu, policy, updates);
  let other: CausalLm | undefined;
  try {
    if (reference !== undefined) {
      await using folder = await openModelFolder(reference, { ignoreRecipeMismatch: true });
      checkSameTokens(policy, folder);
      other = await loadCausalLm(gpu, folder);
    }
  } catch (error) {
    own[Symbol.dispose]();
    throw error;
  }
  const base = updates === undefined ? undefined : { model: own, updates: false };
  return {
    policy: own,
    unused: own.unused,
    reference: other === undefined ? base : { model: other, updates: true },
    [Symbol.dispose]() {
      other?.[Symbol.dispose]();
      own[Symbol.dispose]();
    },
  };
}
