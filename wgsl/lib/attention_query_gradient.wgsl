// Bindings of the kernels that compute attention's gradient for the queries. Shapes in units of L: qkv and dqkv
// [T, qkv_stride], dy [T, y_stride]; in floats: lse and delta [T, lse_stride].
@group(0) @binding(0) var<storage, read> qkv: array<L>;
// Per tile: first row, rows, first segment, the segment after the last.
@group(0) @binding(1) var<storage, read> tiles: array<vec4<u32>>;
// Per segment: parent's start, parent's length, start, length.
@group(0) @binding(2) var<storage, read> segments: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> dy: array<L>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> dqkv: array<L>;
@group(0) @binding(7) var<uniform> params: Params;
