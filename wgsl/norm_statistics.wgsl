// What the weight's gradient of a norm needs of each row: (mean, 1 / sqrt(variance + eps), 0, 0); the mean of RMSNorm
// (CENTERED 0) counts as 0.
//
// Shapes: x [rows, stride4 vec4s]; stats [rows] vec4s. Layout and accumulation: lib/norm_statistics.
//#include grid
//#include row_sum
//#include norm_statistics
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  eps: f32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> stats: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup_index(workgroup, grid) * (WG / LANES) + lane / LANES;
  let first = lane % LANES;
  let end = select(0u, params.stride4, row < params.rows);
  let s = statistics(lane, row * params.stride4, first, end);
  if (first == 0u && row < params.rows) { stats[row] = vec4<f32>(s.mean, s.scale, 0.0, 0.0); }
}
