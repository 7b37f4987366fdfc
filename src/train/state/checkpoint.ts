/**
 * @file A training state on disk: out/checkpoint-N/ with state.safetensors (weights, Adam's moments, best weights) and
 * trainer_state.json (all the rest). The folder is whole or absent, and N steps lead to the same bytes in every run.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../../errors.ts";
import { createFolder, writeFileAtomic } from "../../model/atomic-file.ts";
import { sha256File } from "../../model/file-hash.ts";
import {
  type Checkpoint,
  openCheckpoint,
  type TensorSource,
  toFloat32,
  writeSafetensors,
} from "../../model/safetensors/index.ts";
import type { HostTensor, TrainerState, Weights } from "../trainer.ts";
import { type Identity, identitySchema } from "./identity.ts";
import type { Progress } from "./progress.ts";

export const stateFile = "trainer_state.json";
const tensorFile = "state.safetensors";
const format = "rmtrain-state/1";

/** What a run is resumed from. */
export interface TrainingState {
  readonly state: TrainerState;
  readonly progress: Progress;
  /** Steps and place in the data as a reader of the file wants them; `progress.step` says it all. */
  readonly place: Place;
  /** Length of metrics.jsonl when the state was saved, in bytes. */
  readonly metricsBytes: number;
  /** What a run that goes on must have in common with the one that saved. */
  readonly identity: Identity;
}

export interface Place {
  readonly totalSteps: number;
  /** Passes over the pairs that are complete, and pairs of the next one that steps have used. */
  readonly epoch: number;
  readonly pairsOfEpoch: number;
}

// An accuracy is NaN where no pair has a right answer; JSON knows no NaN.
const accuracy = z.number().nullable();
const metrics = z.object({
  loss: z.number(),
  accuracy: z.number(),
  margin: z.number(),
  min_reward: z.number(),
  mean_reward: z.number(),
  max_reward: z.number(),
});
const own = z.record(z.string(), z.number()).optional();
const stored = z.object({
  format: z.literal(format),
  step: z.int().min(0),
  total_steps: z.int().min(0),
  epoch: z.int().min(0),
  pairs_of_epoch: z.int().min(0),
  num_tokens: z.int().min(0),
  best: z.object({ step: z.int().min(0), eval_accuracy: accuracy, eval_loss: z.number() }).nullable(),
  evaluations_without_better: z.int().min(0),
  pending: z.array(
    z.object({
      batches: z.array(z.object({ pairs: z.int(), decided: z.int(), metrics, own })),
      gradNorm: z.number(),
    }),
  ),
  metrics_bytes: z.int().min(0),
  identity: identitySchema,
  state_sha256: z.string(),
});

/** What stands before a parameter's name: torch's words for Adam's moments; nothing before the weights' own. */
const prefixes = { m: "exp_avg.", v: "exp_avg_sq.", best: "best." } as const;

/**
 * Writes out/checkpoint-N, N being the number of steps, which must not be there yet.
 * @returns its path
 * @throws RmtrainError naming what can't be written; there is no such folder then
 */
export async function writeState(out: string, saved: TrainingState): Promise<string> {
  const { progress, state, place } = saved;
  const { best } = progress;
  const folder = join(out, `checkpoint-${progress.step}`);
  await createFolder(folder, async (dir) => {
    const tensors = join(dir, tensorFile);
    await writeSafetensors(tensors, [
      ...sources("", state.weights),
      ...sources(prefixes.m, state.m),
      ...sources(prefixes.v, state.v),
      ...(best === undefined ? [] : sources(prefixes.best, best.weights)),
    ]);
    const json: z.infer<typeof stored> = {
      format,
      step: progress.step,
      total_steps: place.totalSteps,
      epoch: place.epoch,
      pairs_of_epoch: place.pairsOfEpoch,
      num_tokens: progress.tokens,
      best:
        best === undefined ? null : { step: best.step, eval_accuracy: best.accuracy, eval_loss: best.loss },
      evaluations_without_better: progress.stale,
      pending: progress.pending.map(({ batches, gradNorm }) => ({ batches: [...batches], gradNorm })),
      metrics_bytes: saved.metricsBytes,
      identity: saved.identity,
      state_sha256: await sha256File(tensors),
    };
    await writeFileAtomic(join(dir, stateFile), `${JSON.stringify(json, null, 2)}\n`);
  });
  return folder;
}

/** @throws InputError naming the file that is missing, damaged, or another version's */
export async function readState(folder: string): Promise<TrainingState> {
  const file = join(folder, stateFile);
  const json = parse(await readFile(file, "utf8").catch(unreadable(file)), file);
  const tensors = join(folder, tensorFile);
  if ((await sha256File(tensors)) !== json.state_sha256)
    throw new InputError(`${tensors} is not the file that was saved: it is damaged`);
  await using checkpoint = await openCheckpoint(tensors);
  const names = parameterNames(checkpoint);
  const read = (prefix: string) => readWeights(checkpoint, tensors, names, prefix);
  const { best } = json;
  return {
    state: { weights: await read(""), m: await read(prefixes.m), v: await read(prefixes.v) },
    progress: {
      step: json.step,
      tokens: json.num_tokens,
      best:
        best === null
          ? undefined
          : {
              step: best.step,
              accuracy: best.eval_accuracy ?? Number.NaN,
              loss: best.eval_loss,
              weights: await read(prefixes.best),
            },
      stale: json.evaluations_without_better,
      pending: json.pending,
    },
    place: { totalSteps: json.total_steps, epoch: json.epoch, pairsOfEpoch: json.pairs_of_epoch },
    metricsBytes: json.metrics_bytes,
    identity: json.identity,
  };
}

function parse(text: string, file: string): z.infer<typeof stored> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(
      `${file} is no JSON: it is damaged (${error instanceof Error ? error.message : error})`,
    );
  }
  const result = stored.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new InputError(`${file}: ${issue?.path.join(".")}: ${issue?.message}; this version reads ${format}`);
}

const unreadable = (file: string) => (error: Error) => {
  throw new InputError(`can't read ${file}: ${error.message}`, { cause: error });
};

function sources(prefix: string, weights: Weights): TensorSource[] {
  return [...weights].map(([name, { rows, cols, values }]) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return { name: `${prefix}${name}`, dtype: "F32", shape: [rows, cols], data: () => bytes };
  });
}

/** Names of the weights, in the file's order. */
function parameterNames({ tensors }: Checkpoint): string[] {
  const isWeight = (name: string) => !Object.values(prefixes).some((prefix) => name.startsWith(prefix));
  return [...tensors.keys()].filter(isWeight);
}

/** @throws InputError naming a tensor that is missing */
async function readWeights(
  checkpoint: Checkpoint,
  file: string,
  names: readonly string[],
  prefix: string,
): Promise<Weights> {
  const weights = new Map<string, HostTensor>();
  for (const name of names) {
    const info = checkpoint.tensors.get(prefix + name);
    if (info === undefined) throw new InputError(`${file}: there is no tensor ${prefix}${name}`);
    const [rows = 0, cols = 0] = info.shape;
    weights.set(name, { rows, cols, values: toFloat32(await checkpoint.read(info), info.dtype) });
  }
  return weights;
}
