// SwiGLU: y = silu(gate) * up, silu(g) = g / (1 + exp(-g)); gate and up are the two halves of a row's columns.
//
// Shapes: gate_up [rows, in_stride4 vec4s] with gate in columns [0, cols) and up in [cols, 2 cols); y [rows,
// out_stride4 vec4s]. Layout: one invocation per vec4 of y. exp's argument is bounded, so that a large negative gate
// gives -0 rather than -x / Inf; NaN comes through the division. Padding columns of y are written as zeros.
// Source: Shazeer 2020, arXiv 2002.05202, eq. 5.
//#include grid
struct Params {
  rows: u32,
  cols: u32,
  in_stride4: u32,
  out_stride4: u32,
}
@group(0) @binding(0) var<storage, read> gate_up: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;

// Four columns that begin anywhere.
fn load4(row: u32, col: u32) -> vec4<f32> {
  let at = row * params.in_stride4 + col / 4u;
  let a = gate_up[at];
  if (col % 4u == 0u) { return a; }
  let b = gate_up[at + 1u];
  if (col % 4u == 1u) { return vec4<f32>(a.yzw, b.x); }
  if (col % 4u == 2u) { return vec4<f32>(a.zw, b.xy); }
  return vec4<f32>(a.w, b.xyz);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.out_stride4) { return; }
  let row = index / params.out_stride4;
  let col = 4u * (index % params.out_stride4);
  let gate = load4(row, col);
  let up = load4(row, params.cols + col);
  let value = gate / (1.0 + exp(min(-gate, vec4<f32>(80.0)))) * up;
  y[index] = select(vec4<f32>(0.0), value, vec4<u32>(col) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols));
}
