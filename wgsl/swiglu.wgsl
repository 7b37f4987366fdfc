// SwiGLU: y = silu(gate) * up, silu(g) = g / (1 + exp(-g)); gate and up are the two halves of a row's columns.
//
// Shapes in units of L (lib/lanes): gate_up [rows, stride], gate in the first `half` of a row's units, up in the next
// `half`; y [rows, y_stride]. Layout: an invocation takes units i, i + step, ... of a row; the first of a row writes the
// padding's zeros. exp's argument is bounded, so that a large negative gate gives -0 rather than -x / Inf; NaN comes
// through the division.
// Source: Shazeer 2020, arXiv 2002.05202, eq. 5.
//#header lanes
//#include grid
struct Params {
  rows: u32,
  half: u32,
  stride: u32,
  y_stride: u32,
  step: u32,
}
@group(0) @binding(0) var<storage, read> gate_up: array<L>;
@group(0) @binding(1) var<storage, read_write> y: array<L>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.step) { return; }
  let row = index / params.step;
  let first = index % params.step;
  for (var i = first; i < params.half; i += params.step) {
    let gate = gate_up[row * params.stride + i];
    let up = gate_up[row * params.stride + i + params.half];
    y[row * params.y_stride + i] = gate / (1.0 + exp(min(-gate, L(80.0)))) * up;
  }
  if (first == 0u) {
    for (var c = params.half; c < params.y_stride; c++) {
      y[row * params.y_stride + c] = L(0.0);
    }
  }
}
