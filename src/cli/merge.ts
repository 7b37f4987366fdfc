/** @file `rmtrain merge`: an adapter folded into its base, as one ordinary checkpoint. */
import { readdir } from "node:fs/promises";
import type { Command } from "commander";
import { InputError } from "../errors.ts";
import { mergeAdapter } from "../model/adapter/merge.ts";
import { openAdapter } from "../model/adapter/open-adapter.ts";
import { openModelFolder } from "../model/model-folder.ts";

interface Flags {
  readonly model: string;
  readonly adapter: string;
  readonly out: string;
}

export function register(program: Command): void {
  program
    .command("merge")
    .description("fold a LoRA adapter into its base: one checkpoint that needs neither of them")
    .requiredOption("--model <dir>", "the base that the adapter was trained on")
    .requiredOption(
      "--adapter <dir>",
      "adapter in PEFT's layout: adapter_config.json, adapter_model.safetensors",
    )
    .requiredOption("--out <dir>", "a new folder; weights are saved in the base's dtype and shards")
    .action(run);
}

async function run({ model, adapter: dir, out }: Flags): Promise<void> {
  await checkOut(out);
  await using base = await openModelFolder(model);
  const adapter = await openAdapter(dir, base);
  const kind = await mergeAdapter(out, base, adapter);
  process.stderr.write(
    `${adapter.parts.length} updates of rank ${ranks(adapter.parts)} merged: ${out} is a ${kind}\n`,
  );
}

const ranks = (parts: readonly { readonly r: number }[]) =>
  [...new Set(parts.map(({ r }) => r))].sort((a, b) => a - b).join(", ");

/** Nothing is written over: the base could be among it. */
async function checkOut(out: string): Promise<void> {
  const entries = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new InputError(`--out ${out}: ${error.message}`);
  });
  if (entries.length > 0) throw new InputError(`--out ${out} is not empty; give a new folder`);
}
