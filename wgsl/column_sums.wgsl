// Sums of columns, one for each chunk of rows: y[k] = sum over the rows t of chunk k of x[t], or y[k] += that. A bias's
// gradient is two such passes: rows in chunks, then all chunks in order.
//
// Shapes: x [rows, stride4 vec4s]; y [ceil(rows / chunk), stride4 vec4s]. Layout: one invocation per (chunk, vec4 of
// columns). Accumulation: f32, rows ascending, then the old value. Padding columns of x are zeros, and so y's stay zeros.
//#include grid
struct Params {
  rows: u32,
  stride4: u32,
  chunk: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  let begin = (index / params.stride4) * params.chunk;
  if (begin >= params.rows) { return; }
  let c = index % params.stride4;
  let end = min(begin + params.chunk, params.rows);
  var sum = vec4<f32>(0.0);
  for (var row = begin; row < end; row++) {
    sum += x[row * params.stride4 + c];
  }
  if (params.accumulate != 0u) {
    y[index] = y[index] + sum;
  } else {
    y[index] = sum;
  }
}
