/**
 * @file A model of which more than a head learns: its parameters in one arena, whose f32 masters forward and backward
 * read, and beside them what stays frozen, as stored.
 */
import { InputError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { addInto } from "../kernels/add.ts";
import { ParameterArena } from "../tensor/parameters.ts";
import { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { initialA } from "./adapter/init.ts";
import { type LoraPartSpec, loraParts } from "./adapter/parts.ts";
import type { LoraSettings } from "./adapter/settings.ts";
import { Backbone } from "./backbone.ts";
import type { ModelConfig } from "./config.ts";
import { loadLmHead } from "./lm-head.ts";
import type { ModelFolder } from "./model-folder.ts";
import {
  fullParameters,
  headParameter,
  loraParameters,
  type ModelParameter,
  storedValues,
} from "./model-parameters.ts";
import { headName } from "./reward-head.ts";
import { WeightLoader } from "./weight-loader.ts";
import { type LinearWeights, type LoraPart, loadDecoder } from "./weights.ts";

export type { ModelParameter, StoredRange } from "./model-parameters.ts";

interface HeadOptions {
  /** A reward head score.weight [H] to begin with, which learns too. */
  readonly head?: Float32Array | undefined;
  /** Whether the vocabulary head is needed. It learns where all weights do, as the embedding where they are tied. */
  readonly lmHead?: boolean | undefined;
}

/** Every weight of the decoder learns. */
export interface FullOptions extends HeadOptions {
  readonly trainable: "full";
}

/** Low-rank updates of the decoder's linears learn. */
export interface LoraOptions extends HeadOptions {
  readonly trainable: "lora";
  readonly lora: LoraSettings;
  /** Of the updates' initial values. */
  readonly seed: number;
  /** Updates to begin with, instead of new ones. */
  readonly adapter?: { readonly parts: readonly LoraPartValues[] } | undefined;
}

export interface LoraPartValues extends LoraPartSpec {
  /** A [r, in] and B [out, r]. */
  readonly values: { readonly a: Float32Array; readonly b: Float32Array };
}

export type TrainableOptions = FullOptions | LoraOptions;

interface Parts {
  readonly backbone: Backbone;
  readonly arena: ParameterArena;
  readonly parameters: readonly ModelParameter[];
  readonly head: Tensor | undefined;
  readonly lmHead: (Omit<LinearWeights, "bias"> & { readonly owned: boolean }) | undefined;
  readonly unused: readonly string[];
}

export class TrainableModel implements Disposable {
  readonly backbone: Backbone;
  readonly arena: ParameterArena;
  /** What learns, by its name in the arena. */
  readonly parameters: readonly ModelParameter[];
  /** [1, H]: the reward head, where there is one. */
  readonly head: Tensor | undefined;
  /** Names of the checkpoint's tensors that nothing asked for. */
  readonly unused: readonly string[];
  readonly #lmHead: Parts["lmHead"];
  readonly #gradients: ReadonlyMap<Tensor, Tensor>;

  private constructor(
    readonly gpu: Gpu,
    { backbone, arena, parameters, head, lmHead, unused }: Parts,
  ) {
    this.backbone = backbone;
    this.arena = arena;
    this.parameters = parameters;
    this.head = head;
    this.#lmHead = lmHead;
    this.unused = unused;
    this.#gradients = new Map(parameters.map(({ name }) => [arena.param(name), arena.gradient(name)]));
  }

  /**
   * Streams the weights of an opened folder to the device: those that learn into the arena, the others as stored.
   * @throws InputError naming missing tensors and settings out of range; OutOfMemoryError naming the tensor that did
   * not fit
   */
  static async load(gpu: Gpu, folder: ModelFolder, options: TrainableOptions): Promise<TrainableModel> {
    const loader = new WeightLoader(gpu, folder.checkpoint, folder.config);
    const parts = await (options.trainable === "full"
      ? loadFull(loader, options)
      : loadLora(loader, options));
    const model = new TrainableModel(gpu, parts);
    try {
      if (options.head !== undefined) model.arena.write("master", headName, options.head);
    } catch (error) {
      model.release();
      throw error;
    }
    return model;
  }

  get config(): ModelConfig {
    return this.backbone.config;
  }

  /** [V, H]: the vocabulary head, where it was asked for; with tied embeddings the embedding itself. */
  get lmHead(): Tensor | undefined {
    return this.#lmHead?.weight;
  }

  /** The vocabulary head with its low-rank update, where that learns. */
  get vocabulary(): LinearWeights | undefined {
    return this.#lmHead && { ...this.#lmHead, bias: undefined };
  }

  /** For one micro-batch; ends with `using`. Gradients are added to the arena's. */
  tape(): Tape {
    return new Tape(this.gpu, this.#gradients, addInto);
  }

  /** The parameters as they are now, under the names and in the shapes in which checkpoints store them. */
  async read(): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    const tensors = new Map<string, Float32Array<ArrayBuffer>>();
    for (const parameter of this.parameters)
      for (const [name, values] of await this.readParameter(parameter)) tensors.set(name, values);
    return tensors;
  }

  /** One parameter's tensors, so that not all of them need to be in the host's memory. */
  async readParameter(
    parameter: ModelParameter,
    role: "master" | "gradient" = "master",
  ): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    return storedValues(parameter, await this.arena.read(role, parameter.name));
  }

  /** Gives every buffer back to the pool. */
  release(): void {
    if (this.#lmHead?.owned) this.gpu.release(this.#lmHead.weight.buffer);
    this.backbone.release();
    this.arena.destroy();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

async function loadFull(loader: WeightLoader, { head, lmHead = false }: FullOptions): Promise<Parts> {
  const { gpu, config } = loader;
  const parameters = withHead(fullParameters(config, lmHead), head, config);
  const arena = new ParameterArena(gpu, parameters);
  try {
    const weights = await loadDecoder(loader, config, (part) => arena.param(part.name));
    const backbone = new Backbone(gpu, config, weights, false);
    const vocabulary = lmHead
      ? await loadLmHead(loader, backbone, (part) => arena.param(part.name))
      : undefined;
    return common(loader, { backbone, arena, parameters, lmHead: vocabulary }, head);
  } catch (error) {
    loader.abandon();
    arena.destroy();
    throw error;
  }
}

async function loadLora(loader: WeightLoader, options: LoraOptions): Promise<Parts> {
  const { gpu, config } = loader;
  const { head, lmHead = false, lora, seed, adapter } = options;
  const specs: readonly LoraPartSpec[] = adapter?.parts ?? loraParts(config, lora, { lmHead });
  const ofHead = specs.find(({ module }) => module.linear === "lm_head");
  if (ofHead !== undefined) checkHeadUpdate(options);
  const parameters = withHead(loraParameters(specs), head, config);
  const arena = new ParameterArena(gpu, parameters);
  try {
    const backbone = new Backbone(gpu, config, await loadDecoder(loader, config));
    const vocabulary = lmHead ? await loadLmHead(loader, backbone) : undefined;
    for (const spec of specs) arena.write("master", spec.a.name, initialA(spec, seed));
    for (const { a, b, values } of adapter?.parts ?? []) {
      arena.write("master", a.name, values.a);
      arena.write("master", b.name, values.b);
    }
    const part = ({ module, scale, a, b }: LoraPartSpec): LoraPart => ({
      a: arena.param(a.name),
      b: arena.param(b.name),
      first: module.first,
      scale,
      dropout: lora.dropout > 0 ? { p: lora.dropout, module: module.index } : undefined,
    });
    backbone.adapt((layer, linear) =>
      specs.filter(({ module }) => module.layer === layer && module.linear === linear).map(part),
    );
    const update = ofHead === undefined ? {} : { lora: [part(ofHead)] };
    const lmHeadParts = vocabulary && { ...vocabulary, ...update };
    return common(loader, { backbone, arena, parameters, lmHead: lmHeadParts }, head);
  } catch (error) {
    loader.abandon();
    arena.destroy();
    throw error;
  }
}

/** @throws InputError where the vocabulary head is not read, and for what its update does not have */
function checkHeadUpdate({ lmHead = false, lora }: LoraOptions): void {
  if (!lmHead)
    throw new InputError(
      "the adapter has an update of lm_head, which a reward head does not read: --reward implicit does",
    );
  if (lora.dropout > 0)
    throw new InputError(
      "--lora-dropout is not implemented for lm_head: leave it out of --lora-targets, or take --lora-dropout 0",
    );
}

function withHead(
  parameters: ModelParameter[],
  head: Float32Array | undefined,
  config: ModelConfig,
): ModelParameter[] {
  return head === undefined ? parameters : [...parameters, headParameter(config)];
}

function common(
  { unused }: WeightLoader,
  loaded: Omit<Parts, "head" | "unused">,
  head: Float32Array | undefined,
): Parts {
  return { ...loaded, unused, head: head === undefined ? undefined : loaded.arena.param(headName) };
}
