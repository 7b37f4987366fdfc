// The gradient of SwiGLU, y = silu(gate) * up: with s = sigmoid(gate),
//   d gate = dy * up * s * (1 + gate * (1 - s)),  d up = dy * gate * s
//
// Shapes in units of L (lib/lanes): dy [rows, dy_stride]; gate_up and d [rows, stride], gate in the first `half` of a
// row's units, up in the next `half`. Layout: an invocation takes units i, i + step, ... of a row's gate; the
// first of a row writes the padding's zeros. exp's argument is bounded, and 1 - s is computed without cancellation; NaN and Inf come through.
// Source: the derivative of Shazeer 2020, arXiv 2002.05202, eq. 5.
//#header lanes
//#include grid
struct Params {
  rows: u32,
  half: u32,
  stride: u32,
  dy_stride: u32,
  step: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<L>;
@group(0) @binding(1) var<storage, read> gate_up: array<L>;
@group(0) @binding(2) var<storage, read_write> d: array<L>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.step) { return; }
  let row = index / params.step;
  let first = index % params.step;
  for (var i = first; i < params.half; i += params.step) {
    let at = row * params.stride + i;
    let gate = gate_up[at];
    let up = gate_up[at + params.half];
    let g = dy[row * params.dy_stride + i];
    let e = exp(min(-gate, L(80.0)));
    let s = 1.0 / (1.0 + e);
    d[at] = g * up * s * (1.0 + gate * (e * s));
    d[at + params.half] = g * gate * s;
  }
  if (first == 0u) {
    for (var c = 2u * params.half; c < params.stride; c++) {
      d[row * params.stride + c] = L(0.0);
    }
  }
}
