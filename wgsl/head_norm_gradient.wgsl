// The backward of the heads' RMSNorm, in place: with s = 1 / sqrt(mean(x^2) + eps), dy becomes
// dx = s w dy - x s^3 mean(w dy x), and partial[i] = the sum of dy x s over the i-th chunk of heads: part of dw.
//
// Shapes: x and dy [rows, stride], heads [first, first + heads*D) of their columns; weight [D]; partial
// [ceil(rows * heads / chunk), partial_stride], padded with zeros, or not written where partial_stride is 0. Layout: one
// invocation per chunk of consecutive heads, row by row. Accumulation: f32, columns ascending; in a chunk, heads
// ascending. Other columns of dy are not touched. Source: the derivative of Zhang & Sennrich 2019, arXiv 1910.07467, eq. 4.
//#include grid
struct Params {
  rows: u32,
  heads: u32,
  head_dim: u32,
  first: u32,
  stride: u32,
  partial_stride: u32,
  chunk: u32,
  eps: f32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> partial: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  let first = index * params.chunk;
  let end = min(first + params.chunk, params.rows * params.heads);
  if (first >= end) { return; }
  let out = index * params.partial_stride;
  let size = f32(params.head_dim);
  for (var head = first; head < end; head++) {
    let begin = (head / params.heads) * params.stride + params.first + (head % params.heads) * params.head_dim;
    var squares = 0.0;
    var products = 0.0;
    for (var c = 0u; c < params.head_dim; c++) {
      squares = fma(x[begin + c], x[begin + c], squares);
      products = fma(weight[c] * dy[begin + c], x[begin + c], products);
    }
    let scale = 1.0 / sqrt(squares / size + params.eps);
    let pull = scale * scale * scale * products / size;
    for (var c = 0u; c < params.head_dim; c++) {
      let g = dy[begin + c];
      dy[begin + c] = fma(scale * weight[c], g, -(x[begin + c] * pull));
      if (params.partial_stride > 0u) {
        var sum = 0.0;
        if (head > first) { sum = partial[out + c]; }
        partial[out + c] = fma(g, x[begin + c] * scale, sum);
      }
    }
  }
  for (var c = params.head_dim; c < params.partial_stride; c++) {
    partial[out + c] = 0.0;
  }
}
