// The gradient of softmax over rows: dx = y * (dy - sum(dy * y)), or dx += that.
//
// Shapes: dy, y, dx [rows, stride4 vec4s]; the padding of y is zeros. Layout: eight lanes per row (lib/row_sum).
// Accumulation: f32; a lane's four columns apart, columns ascending, then the lanes in order. Padding columns of a new dx
// are written as zeros.
// Source: the derivative of Bridle 1990, eq. 10 (see softmax).
//#include grid
//#include row_sum
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup_index(workgroup, grid) * (WG / LANES) + lane / LANES;
  let first = lane % LANES;
  // Lanes past the last row take part in the sum with no columns.
  let end = select(0u, params.stride4, row < params.rows);
  let base = row * params.stride4;
  var products = vec4<f32>(0.0);
  for (var c = first; c < end; c += LANES) {
    products = fma(dy[base + c], y[base + c], products);
  }
  let mean = row_sum(lane, sum4(products));
  for (var c = first; c < end; c += LANES) {
    let value = within(y[base + c] * (dy[base + c] - mean), c, params.cols);
    if (params.accumulate != 0u) {
      dx[base + c] = dx[base + c] + value;
    } else {
      dx[base + c] = value;
    }
  }
}
