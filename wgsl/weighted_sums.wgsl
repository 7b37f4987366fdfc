// Weighted sums of one column, for metrics: y[at + c] = (y_old +) sum over rows of weights[r, c] x[r].
//
// Shapes: x [rows] (f32, every fourth word); weights [rows, stride]; y any, of which `cols` words from `at` on are
// written. Layout: one lane per column, one workgroup. Accumulation: f32, rows in order.
struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
  at: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const WG = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
  if (lane >= params.cols) { return; }
  var sum = 0.0;
  for (var r = 0u; r < params.rows; r++) { sum = fma(weights[r * params.stride + lane], x[r].x, sum); }
  if (params.accumulate != 0u) { sum += y[params.at + lane]; }
  y[params.at + lane] = sum;
}
