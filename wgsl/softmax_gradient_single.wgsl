// The gradient of softmax over rows, as softmax_gradient.wgsl says, by one invocation per row (lib/row_single).
//
// Accumulation: f32; columns c, c + 4, ... apart, ascending.
//#include grid
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
//#include row_single

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = row_of(workgroup_index(workgroup, grid) * WG + lane);
  if (!row.has) { return; }
  var products = vec4<f32>(0.0);
  let end = row.base + params.stride4;
  let whole = row.base + 4u * whole_chunks();
  for (var c = row.base; c < whole; c += 4u) {
    products = fma(dy[c], y[c], products);
    products = fma(dy[c + 1u], y[c + 1u], products);
    products = fma(dy[c + 2u], y[c + 2u], products);
    products = fma(dy[c + 3u], y[c + 3u], products);
  }
  // The padding of y is zeros.
  for (var c = whole; c < end; c++) {
    products = fma(dy[c], y[c], products);
  }
  let mean = sum4(products);
  for (var c = 0u; c < params.stride4; c++) {
    let at = row.base + c;
    var value = within(y[at] * (dy[at] - mean), c);
    if (params.accumulate != 0u) { value += dx[at]; }
    dx[at] = value;
  }
}
