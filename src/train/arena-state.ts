/** @file The arenas of trainable parameters as host values, and back. */
import type { ArenaRole, ParameterArena } from "../tensor/parameters.ts";
import type { HostTensor, TrainerState, Weights } from "./trainer.ts";

/** All parameters of one arena, in the arena's order. Submits and waits. */
export async function readArena(arena: ParameterArena, role: ArenaRole): Promise<Weights> {
  const weights = new Map<string, HostTensor>();
  for (const { name, rows, cols } of arena.specs)
    weights.set(name, { rows, cols, values: Float32Array.from(await arena.read(role, name)) });
  return weights;
}

/** @throws Error naming a parameter that the weights do not have */
export function writeArena(arena: ParameterArena, role: ArenaRole, weights: Weights): void {
  for (const { name } of arena.specs) {
    const found = weights.get(name);
    if (found === undefined) throw new Error(`There are no values of ${name}`);
    arena.write(role, name, found.values);
  }
}

/** Masters and moments; gradients are no part of a state. */
export function writeState(arena: ParameterArena, { weights, m, v }: TrainerState): void {
  writeArena(arena, "master", weights);
  writeArena(arena, "m", m);
  writeArena(arena, "v", v);
}
