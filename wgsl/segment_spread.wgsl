// The backward of segment_sums: dx[e] = dy[n] for the segment n that holds row e.
//
// Shapes: dy [N], dx [E] (f32, every fourth word); offsets [N + 1] (i32, every fourth word), ascending, the first 0.
// Layout: one lane per row, which finds its segment by bisection.
//#include grid
struct Params {
  rows: u32,
  segments: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> offsets: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let e = workgroup_index(workgroup, grid) * WG + lane;
  if (e >= params.rows) { return; }
  // The last segment that begins at or before e; empty ones before it begin there too.
  var low = 0u;
  var high = params.segments;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (u32(offsets[middle].x) <= e) { low = middle; } else { high = middle; }
  }
  dx[e] = vec4<f32>(dy[low].x, 0.0, 0.0, 0.0);
}
