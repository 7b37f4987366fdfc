/** @file What a contestant is: a library that can do some of the cases. Each lives in a process of its own (serve.ts). */
import type { PeerCase } from "./peer-case.ts";
import type { Tensors } from "./tensors.ts";

/** A case's description with its tensors, as a contestant gets it. */
export interface CaseInput {
  readonly definition: PeerCase;
  readonly inputs: Tensors;
  /** Folder with config.json and model.safetensors, where the case is one of a model. */
  readonly model: string | undefined;
}

/** Everything that happens once is done: weights are on the device, graphs are built. */
export interface Prepared {
  /** Does the work once, to its end. */
  readonly run: () => Promise<void>;
  /** What the last run gave; run.ts compares it with what ours gives. */
  readonly results: () => Promise<Tensors>;
  readonly release: () => Promise<void> | void;
}

export interface Contestant {
  /** The library with its version, and the device it runs on. */
  readonly version: string;
  /** undefined: the library has nothing for this case. */
  readonly prepare: (input: CaseInput) => Promise<Prepared | undefined>;
}
