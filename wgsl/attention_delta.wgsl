// The part of attention's backward that a row's softmax takes from all its keys: delta[t, h] = dy[t, h] . y[t, h].
//
// Shapes: y and dy [T, y_stride] with heads of `head_dim` columns side by side; delta [T, delta_stride], the heads
// followed by zeros. Layout: one invocation per element of delta. Accumulation: f32, columns ascending. Source: Dao et al.
// 2022, arXiv 2205.14135, appendix B.2 (dp . p over the keys is dy . y).
//#include grid
struct Params {
  rows: u32,
  heads: u32,
  head_dim: u32,
  y_stride: u32,
  delta_stride: u32,
}
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> delta: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.delta_stride) { return; }
  let head = index % params.delta_stride;
  var sum = 0.0;
  if (head < params.heads) {
    let begin = (index / params.delta_stride) * params.y_stride + head * params.head_dim;
    for (var c = 0u; c < params.head_dim; c++) {
      sum = fma(dy[begin + c], y[begin + c], sum);
    }
  }
  delta[index] = sum;
}
