// The input's gradient of RMSNorm (CENTERED 0) and LayerNorm (CENTERED 1): with n = (x - mean) * scale, the normalised
// row, and g = dy * weight,
//   dx = scale * (g - mean(g) - n * mean(g n)),  or dx += that;  RMSNorm has no mean and no mean(g).
//
// Shapes: dy, x, dx [rows, stride4 vec4s]; weight [stride4 vec4s]. Layout: eight lanes per row (lib/row_sum).
// Accumulation: f32; a lane's four columns apart, columns ascending, then the lanes in order. Mean and scale are computed
// again from x (lib/norm_statistics). Padding columns of a new dx are written as zeros.
// Source: the derivatives of Zhang & Sennrich 2019, arXiv 1910.07467, eq. 4, and Ba, Kiros & Hinton 2016, arXiv
// 1607.06450, eq. 3 and 4.
//#include grid
//#include row_sum
//#include norm_statistics
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  eps: f32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup_index(workgroup, grid) * (WG / LANES) + lane / LANES;
  let first = lane % LANES;
  // Lanes past the last row take part in the sums with no columns.
  let end = select(0u, params.stride4, row < params.rows);
  let base = row * params.stride4;
  let s = statistics(lane, base, first, end);
  var gradients = vec4<f32>(0.0);
  var products = vec4<f32>(0.0);
  for (var c = first; c < end; c += LANES) {
    let g = dy[base + c] * weight[c];
    gradients += g;
    products = fma(g, (x[base + c] - s.mean) * s.scale, products);
  }
  let along = row_sum(lane, sum4(products)) / f32(params.cols);
  var mean = 0.0;
  if (CENTERED == 1u) { mean = row_sum(lane, sum4(gradients)) / f32(params.cols); }
  for (var c = first; c < end; c += LANES) {
    let n = (x[base + c] - s.mean) * s.scale;
    let value = within(s.scale * (dy[base + c] * weight[c] - mean - n * along), c, params.cols);
    if (params.accumulate != 0u) {
      dx[base + c] = dx[base + c] + value;
    } else {
      dx[base + c] = value;
    }
  }
}
