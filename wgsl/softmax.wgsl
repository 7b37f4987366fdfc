// Softmax of each row: y = exp(x - max(x)) / sum(exp(x - max(x))).
//
// Shapes: x, y [rows, stride4 vec4s]. Layout: eight lanes per row (lib/row_sum). Accumulation: f32; a lane's four columns
// apart, columns ascending, then the lanes in order. No sum depends on other rows. -Inf gives 0; a row with NaN, with
// +Inf or of -Inf alone is NaN throughout. Padding columns of y are written as zeros.
// Source: Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs", eq. 10.
//#include grid
//#include row_sum
//#include row_max
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

const LOWEST = -0x1.fffffep+127f;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup_index(workgroup, grid) * (WG / LANES) + lane / LANES;
  let first = lane % LANES;
  // Lanes past the last row take part with no columns.
  let stride4 = select(0u, params.stride4, row < params.rows);
  let base = row * params.stride4;
  // Whole vec4s; a last one that reaches into the padding belongs to the lane whose turn it is.
  let end = min(stride4, params.cols / 4u);
  let tail = end < stride4 && end % LANES == first;
  let inside = vec4<u32>(4u * end) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols);
  var highest = vec4<f32>(LOWEST);
  for (var c = first; c < end; c += LANES) {
    highest = max(highest, x[base + c]);
  }
  if (tail) { highest = max(highest, select(vec4<f32>(LOWEST), x[base + end], inside)); }
  let top = row_max(lane, max4(highest));
  var sums = vec4<f32>(0.0);
  for (var c = first; c < end; c += LANES) {
    sums += exp(x[base + c] - top);
  }
  if (tail) { sums += select(vec4<f32>(0.0), exp(x[base + end] - top), inside); }
  let scale = 1.0 / row_sum(lane, sum4(sums));
  for (var c = first; c < end; c += LANES) {
    y[base + c] = exp(x[base + c] - top) * scale;
  }
  if (tail) { y[base + end] = select(vec4<f32>(0.0), exp(x[base + end] - top) * scale, inside); }
}
