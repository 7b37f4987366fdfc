/** The part of npm's `safetensors` 0.0.1 (which has no types) that the tests use as an independent reader. */
declare module "safetensors" {
  const library: {
    SafeTensor: new (
      buffer: Uint8Array,
    ) => {
      metadata: Map<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
      getTensor(name: string): Uint8Array;
    };
  };
  export default library;
}
