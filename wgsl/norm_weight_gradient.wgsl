// The weight's gradient of RMSNorm and LayerNorm, one partial sum for each chunk of rows:
//   partials[k] = sum over the rows t of chunk k of dy[t] * (x[t] - mean[t]) * scale[t]
// The chunks are then added in order by column_sums.
//
// Shapes: dy, x [rows, stride4 vec4s]; stats [rows] (mean, scale, 0, 0), see norm_statistics; partials [ceil(rows / chunk),
// stride4 vec4s]. Layout: one invocation per (chunk, vec4 of columns). Accumulation: f32, rows ascending. Padding columns
// are written as zeros.
//#include grid
//#include row_sum
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  chunk: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> stats: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  let begin = (index / params.stride4) * params.chunk;
  if (begin >= params.rows) { return; }
  let c = index % params.stride4;
  let end = min(begin + params.chunk, params.rows);
  var sum = vec4<f32>(0.0);
  for (var row = begin; row < end; row++) {
    let at = row * params.stride4 + c;
    let s = stats[row];
    sum = fma(dy[at], (x[at] - s.x) * s.y, sum);
  }
  partials[index] = within(sum, c, params.cols);
}
