// Softmax of each row, as softmax.wgsl says, by one invocation per row (lib/row_single) in one walk for maximum and sum
// and another for the result.
//
// Accumulation: f32, online: a chunk of 16 columns is scaled to the largest value so far; four accumulators, columns
// ascending.
// Source: as softmax.wgsl; Milakov & Gimelshein 2018, arXiv 1805.02867, algorithm 3 (online softmax).
//#include grid
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;
//#include row_single

const LOWEST = -0x1.fffffep+127f;

fn max4(v: vec4<f32>) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = row_of(workgroup_index(workgroup, grid) * WG + lane);
  var top = LOWEST;
  var sums = vec4<f32>(0.0);
  let whole = 4u * whole_chunks();
  for (var c = 0u; c < whole; c += 4u) {
    let v0 = x[row.base + c];
    let v1 = x[row.base + c + 1u];
    let v2 = x[row.base + c + 2u];
    let v3 = x[row.base + c + 3u];
    let next = max(top, max4(max(max(v0, v1), max(v2, v3))));
    let added = (exp(v0 - next) + exp(v1 - next)) + (exp(v2 - next) + exp(v3 - next));
    sums = fma(sums, vec4<f32>(exp(top - next)), added);
    top = next;
  }
  for (var c = whole; c < params.stride4; c++) {
    let v = x[row.base + c];
    let next = max(top, max4(select(vec4<f32>(LOWEST), v, inside(c))));
    sums = fma(sums, vec4<f32>(exp(top - next)), within(exp(v - next), c));
    top = next;
  }
  let scale = 1.0 / sum4(sums);
  for (var c = 0u; c < whole; c += 4u) {
    let v0 = x[row.base + c];
    let v1 = x[row.base + c + 1u];
    let v2 = x[row.base + c + 2u];
    let v3 = x[row.base + c + 3u];
    if (row.has) {
      y[row.base + c] = exp(v0 - top) * scale;
      y[row.base + c + 1u] = exp(v1 - top) * scale;
      y[row.base + c + 2u] = exp(v2 - top) * scale;
      y[row.base + c + 3u] = exp(v3 - top) * scale;
    }
  }
  for (var c = whole; c < params.stride4; c++) {
    let value = within(exp(x[row.base + c] - top) * scale, c);
    if (row.has) { y[row.base + c] = value; }
  }
}
