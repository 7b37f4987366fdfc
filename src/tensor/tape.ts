/**
 * @file Reverse-mode automatic differentiation: operations write down how their gradient goes back while they are
 * recorded forwards, and the tape runs that backwards. It knows tensors, and neither kernels nor models.
 *
 * A tape lives for one micro-batch. It opens a scope: what operations allocate until its end belongs to it, so a tape
 * is used while its scope is the innermost. Memory follows from who reads what: an activation is given back as soon as
 * it is released (nothing later in the forward pass reads it) and the last operation that saved it has run backwards;
 * its gradient as soon as the operation that made the activation has run backwards.
 */
import type { GpuBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Scope } from "../gpu/scope.ts";
import type { Tensor } from "./tensor.ts";

/** Sends dy, the gradient of the operation's output, to its inputs by `give`, `pass` and into `parameter`s. */
export type Backward = (dy: Tensor) => void;

/** A new gradient of a tensor, or, with `into`, that gradient added to one there is already. */
export type MakeGradient = (into?: Tensor) => Tensor;

/** y += x; kernels/add.ts has one. */
export type AddInto = (gpu: Gpu, y: Tensor, x: Tensor) => void;

interface Operation {
  readonly output: Tensor;
  readonly saves: readonly Tensor[];
  readonly backward: Backward;
}

export class Tape implements Disposable {
  readonly #scope: Scope;
  readonly #operations: Operation[] = [];
  /** What a gradient flows to, beside the parameters. */
  readonly #tracked = new Set<Tensor>();
  /** Gradients that wait for the operation that made the tensor. */
  readonly #gradients = new Map<Tensor, Tensor>();
  /** Gradients of activations that have not been given back. */
  readonly #live = new Set<Tensor>();
  /** How many operations that have not run backwards yet need a buffer's contents. */
  readonly #saved = new Map<GpuBuffer, number>();
  readonly #released = new Set<GpuBuffer>();
  #ended = false;

  /**
   * @param parameters what learns, and where its gradient is added: views of one arena's masters and gradients. Nothing
   * is recorded that leads to none of them.
   */
  constructor(
    readonly gpu: Gpu,
    readonly parameters: ReadonlyMap<Tensor, Tensor>,
    readonly add: AddInto,
  ) {
    this.#scope = gpu.scope();
  }

  /** Operations recorded and not run backwards yet. */
  get length(): number {
    return this.#operations.length;
  }

  /** Where the gradient of a parameter goes; undefined for what does not learn. */
  parameter(tensor: Tensor): Tensor | undefined {
    return this.parameters.get(tensor);
  }

  /** Whether a gradient flows to one of the tensors: it is a parameter, or was computed from one. */
  tracks(...tensors: readonly (Tensor | undefined)[]): boolean {
    return tensors.some((t) => t !== undefined && (this.#tracked.has(t) || this.parameters.has(t)));
  }

  /**
   * Writes an operation down. One that changes a tensor in place names it as its output; its backward then changes dy
   * in place and passes it on to the same tensor.
   * @param saves tensors whose contents the backward reads, and which nothing may change until then
   */
  record(output: Tensor, saves: readonly Tensor[], backward: Backward): void {
    this.#tracked.add(output);
    for (const { buffer } of saves) this.#saved.set(buffer, (this.#saved.get(buffer) ?? 0) + 1);
    this.#operations.push({ output, saves, backward });
  }

  /** Nothing that is recorded forwards from now on reads the tensor. */
  release({ buffer }: Tensor): void {
    this.#released.add(buffer);
    if (!this.#saved.has(buffer)) this.#free(buffer);
  }

  /** For backwards: a gradient of x. Where there is one already, from a later use of x, it is added to. */
  give(x: Tensor, make: MakeGradient): void {
    if (!this.tracks(x)) return;
    const known = this.parameters.get(x) ?? this.#gradients.get(x);
    if (known === undefined) this.pass(x, make());
    else make(known);
  }

  /**
   * For backwards: dy is a gradient of x, be it the operation's own dy or a new tensor. It is the tape's then, not to be
   * used by the caller any more.
   */
  pass(x: Tensor, dy: Tensor): void {
    if (!this.tracks(x)) return;
    const known = this.parameters.get(x) ?? this.#gradients.get(x);
    this.#live.add(dy);
    if (known === undefined) this.#gradients.set(x, dy);
    else this.add(this.gpu, known, dy);
  }

  /**
   * For the backward of an operation that saved its input only: records it again, with all that its parts save, and
   * runs that backwards. The parts' gradients have the bits that they would have had without.
   * @param dy gradient of the result
   */
  rerun(dy: Tensor, forward: () => Tensor): void {
    const from = this.#operations.length;
    const output = forward();
    this.pass(output, dy);
    this.release(output);
    this.#unwind(from);
  }

  /**
   * Runs everything that was recorded backwards, last first.
   * @param seeds tensors and d loss / d tensor; these gradients are overwritten and given back
   */
  backward(seeds: readonly (readonly [Tensor, Tensor])[]): void {
    for (const [tensor, gradient] of seeds) this.pass(tensor, gradient);
    this.#unwind(0);
    this.#gradients.clear();
    this.#sweep();
  }

  /** Gives back all that is left. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#scope[Symbol.dispose]();
  }

  #unwind(from: number): void {
    while (this.#operations.length > from) {
      const operation = this.#operations.pop();
      if (operation === undefined) break;
      const dy = this.#gradients.get(operation.output);
      this.#gradients.delete(operation.output);
      // Without a gradient nothing of the loss came through here.
      if (dy !== undefined) {
        operation.backward(dy);
        this.#sweep();
      }
      for (const { buffer } of operation.saves) this.#forget(buffer);
    }
  }

  /** Gives back the gradients that wait for no operation. */
  #sweep(): void {
    const waiting = new Set(this.#gradients.values());
    for (const gradient of [...this.#live]) {
      if (waiting.has(gradient)) continue;
      this.#live.delete(gradient);
      this.#free(gradient.buffer);
    }
  }

  #forget(buffer: GpuBuffer): void {
    const uses = (this.#saved.get(buffer) ?? 0) - 1;
    if (uses > 0) {
      this.#saved.set(buffer, uses);
      return;
    }
    this.#saved.delete(buffer);
    if (this.#released.has(buffer)) this.#free(buffer);
  }

  /** What was allocated outside of the tape's scope is not its to give back. */
  #free(buffer: GpuBuffer): void {
    this.#released.delete(buffer);
    if (this.#scope.owns(buffer)) this.#scope.release(buffer);
  }
}
