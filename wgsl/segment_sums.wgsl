// Sums of the rows of each segment: y[n] = sum of x[e], offsets[n] <= e < offsets[n + 1].
//
// Shapes: x [E], y [N] (f32, every fourth word); offsets [N + 1] (i32, every fourth word). Layout: one lane per segment.
// Accumulation: f32, rows in order in chunks of `chunk` counted from the segment's begin, then the chunks in order: no
// sum depends on where the segment lies or what stands beside it.
//#include grid
struct Params {
  segments: u32,
  chunk: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> offsets: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = workgroup_index(workgroup, grid) * WG + lane;
  if (n >= params.segments) { return; }
  let end = u32(offsets[n + 1u].x);
  var total = 0.0;
  for (var begin = u32(offsets[n].x); begin < end; begin += params.chunk) {
    var sum = 0.0;
    for (var e = begin; e < min(begin + params.chunk, end); e++) { sum += x[e].x; }
    total += sum;
  }
  y[n] = vec4<f32>(total, 0.0, 0.0, 0.0);
}
