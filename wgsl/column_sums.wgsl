// Weighted sums of columns: y[c] = sum over rows of weights[r] * x[r, c] (+ y[c]). The gradient of one output row of a
// linear layer, such as the reward head.
//
// Shapes: x [rows, stride4 vec4s]; weights [rows vec4s], the value in .x; y [stride4 vec4s]. Layout: one invocation per
// vec4 of columns. Accumulation: f32, rows ascending in chunks of `chunk`, then the chunks in order. Zero padding of x
// gives zeros; weights that are not finite reach the padding too, where it is then written as zeros.
//#include grid
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  chunk: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let c = workgroup_index(workgroup, grid) * WG + lane;
  if (c >= params.stride4) { return; }
  var total = vec4<f32>(0.0);
  for (var begin = 0u; begin < params.rows; begin += params.chunk) {
    let end = min(begin + params.chunk, params.rows);
    var sum = vec4<f32>(0.0);
    for (var r = begin; r < end; r++) {
      sum = fma(vec4<f32>(weights[r].x), x[r * params.stride4 + c], sum);
    }
    total += sum;
  }
  if (params.accumulate != 0u) { total += y[c]; }
  y[c] = select(vec4<f32>(0.0), total, vec4<u32>(4u * c) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols));
}
