// What every variant of the weight's gradient of a linear layer shares: its parameters, its bindings, and how a result is
// finished.
//
// dw = (dw_old) + dy^T x. Shapes: dy [T, N]; x [T, K]; dw [N, K], bound as a window of `outs` rows from row 4 * first4 on;
// all f32, rows padded with zeros to whole vec4s. Accumulation: f32, rows ascending in chunks of `chunk`, from 0, one fma
// after the other; then the chunks in order; then dw_old + that. Values of dy that are not finite reach the padding of dw
// too, which is then written as zeros.
struct Params {
  rows: u32,
  outs: u32,
  cols: u32,
  stride4: u32,
  dy_stride4: u32,
  first4: u32,
  chunk: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dw: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

// Stores columns 4*c .. 4*c+3 of one output. Columns past the last are padding: zeros.
fn finish(out: u32, c: u32, sum: vec4<f32>) {
  let at = out * params.stride4 + c;
  var value = sum;
  if (params.accumulate != 0u) { value = dw[at] + value; }
  dw[at] = select(vec4<f32>(0.0), value, 4u * c + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols));
}
