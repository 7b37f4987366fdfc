/** @file Builds ONNX models: the few messages of onnx.proto (ONNX 1.17, IR version 10) that a graph of ours needs. */
import { Buffer } from "node:buffer";
import type { HostTensor } from "../tensors.ts";

type Attribute = number | { readonly float: number } | string | readonly number[];

export class OnnxGraph {
  readonly #nodes: Uint8Array[] = [];
  readonly #constants: Uint8Array[] = [];
  readonly #inputs: Uint8Array[] = [];
  readonly #outputs: Uint8Array[] = [];
  #count = 0;

  input(name: string, dims: readonly number[]): string {
    this.#inputs.push(valueInfo(name, dims));
    return name;
  }

  output(name: string, dims: readonly number[]): void {
    this.#outputs.push(valueInfo(name, dims));
  }

  constant(name: string, { shape, values }: HostTensor): string {
    return this.#initializer(name, shape, dataTypes.float, bytesOf(values));
  }

  integers(name: string, shape: readonly number[], values: readonly number[]): string {
    return this.#initializer(name, shape, dataTypes.int64, bytesOf(BigInt64Array.from(values, BigInt)));
  }

  /** @returns the name of its (first) output; "" stands for an output that is not wanted or an input left out */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    { domain = "", outputs = 1 }: { domain?: string; outputs?: number | readonly string[] } = {},
  ): string {
    const names = typeof outputs === "number" ? this.#names(op, outputs) : outputs;
    this.#nodes.push(
      message(
        ...inputs.map((name) => text(1, name)),
        ...names.map((name) => text(2, name)),
        text(4, op),
        ...Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value))),
        text(7, domain),
      ),
    );
    return names[0] ?? "";
  }

  encode(): Uint8Array {
    const graph = message(
      ...this.#nodes.map((node) => bytes(1, node)),
      text(2, "graph"),
      ...this.#constants.map((constant) => bytes(5, constant)),
      ...this.#inputs.map((input) => bytes(11, input)),
      ...this.#outputs.map((output) => bytes(12, output)),
    );
    const opset = (domain: string, version: number) =>
      bytes(8, message(text(1, domain), integer(2, version)));
    return message(integer(1, 10), bytes(7, graph), opset("", 23), opset("com.microsoft", 1));
  }

  #names(op: string, count: number): string[] {
    const number = this.#count++;
    return Array.from({ length: count }, (_, i) => `${op}_${number}_${i}`);
  }

  #initializer(name: string, shape: readonly number[], type: number, data: Uint8Array): string {
    const dims = shape.map((n) => integer(1, n));
    this.#constants.push(message(...dims, integer(2, type), text(8, name), bytes(9, data)));
    return name;
  }
}

const dataTypes = { float: 1, int64: 7 } as const;
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

function attribute(name: string, value: Attribute): Uint8Array {
  const named = text(1, name);
  if (typeof value === "number") return message(named, integer(3, value), integer(20, attributeTypes.int));
  if (typeof value === "string") return message(named, text(4, value), integer(20, attributeTypes.string));
  if (!("float" in value))
    return message(named, ...value.map((n) => integer(8, n)), integer(20, attributeTypes.ints));
  return message(named, float(2, value.float), integer(20, attributeTypes.float));
}

function valueInfo(name: string, dims: readonly number[]): Uint8Array {
  const shape = message(...dims.map((n) => bytes(1, message(integer(1, n)))));
  const tensor = message(integer(1, dataTypes.float), bytes(2, shape));
  return message(text(1, name), bytes(2, message(bytes(1, tensor))));
}

/** Fields of a protocol buffer: the tag is the field's number and how its value is written. */
const message = (...fields: readonly Uint8Array[]): Uint8Array => Buffer.concat(fields);
const integer = (field: number, value: number) => Buffer.concat([varint(field * 8), varint(value)]);
const text = (field: number, value: string) => bytes(field, Buffer.from(value));
const bytes = (field: number, value: Uint8Array) =>
  Buffer.concat([varint(field * 8 + 2), varint(value.byteLength), value]);

function float(field: number, value: number): Uint8Array {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return Buffer.concat([varint(field * 8 + 5), data]);
}

/** Seven bits a byte, low ones first. */
function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(out);
}

const bytesOf = (values: Float32Array | BigInt64Array) =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
