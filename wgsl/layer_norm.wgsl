// LayerNorm: y = (x - mean) / sqrt(variance + eps) * weight + bias over each row; the variance divides by `cols`.
//
// Shapes: x, y [rows, stride4 vec4s]; weight, bias [stride4 vec4s]. Layout: eight lanes per row (lib/row_sum).
// Accumulation: f32, two passes (the variance is the mean of squared deviations, so large means cost no digits); a
// lane's four columns apart, columns ascending, then the lanes in order. No sum depends on other rows. Padding columns
// of y are written as zeros.
// Source: Ba, Kiros & Hinton 2016, arXiv 1607.06450, eq. 3 and 4.
//#include grid
//#include row_sum
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  eps: f32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup_index(workgroup, grid) * (WG / LANES) + lane / LANES;
  let first = lane % LANES;
  // Lanes past the last row take part in the sums with no columns.
  let stride4 = select(0u, params.stride4, row < params.rows);
  let base = row * params.stride4;
  // Whole vec4s; a last one that reaches into the padding belongs to the lane whose turn it is.
  let end = min(stride4, params.cols / 4u);
  let tail = end < stride4 && end % LANES == first;
  var sum = vec4<f32>(0.0);
  for (var c = first; c < stride4; c += LANES) {
    sum += x[base + c];
  }
  let mean = row_sum(lane, sum4(sum)) / f32(params.cols);
  var squares = vec4<f32>(0.0);
  for (var c = first; c < end; c += LANES) {
    let d = x[base + c] - mean;
    squares = fma(d, d, squares);
  }
  if (tail) {
    let d = within(x[base + end] - mean, end, params.cols);
    squares = fma(d, d, squares);
  }
  let scale = 1.0 / sqrt(row_sum(lane, sum4(squares)) / f32(params.cols) + params.eps);
  for (var c = first; c < end; c += LANES) {
    y[base + c] = (x[base + c] - mean) * scale * weight[c] + bias[c];
  }
  if (tail) {
    y[base + end] = within((x[base + end] - mean) * scale * weight[end] + bias[end], end, params.cols);
  }
}
