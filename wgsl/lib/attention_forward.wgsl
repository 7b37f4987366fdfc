// What the forward kernels of attention share beside lib/attention_tile: bindings, one step of the online softmax, and
// how a row is finished.
@group(0) @binding(0) var<storage, read> qkv: array<L>;
// Per tile: first row, rows, first segment, the segment after the last.
@group(0) @binding(1) var<storage, read> tiles: array<vec4<u32>>;
// Per segment: parent's start, parent's length, start, length.
@group(0) @binding(2) var<storage, read> segments: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> y: array<L>;
// [T, lse_stride]: log of each softmax's denominator, for the backward pass.
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

const LOWEST = -0x1.fffffep+127f;

fn max4(v: vec4<f32>) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

fn sum4(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

// exp(before - after), and exactly 1 where both are equal, so that a tile in which a row sees nothing changes no bit.
fn rescale(before: f32, after: f32) -> f32 {
  return select(exp(before - after), 1.0, before == after);
}

// Divides a row of y by its softmax's denominator, `total` relative to exp(top), and keeps the logarithm of that.
fn finish(tile: Tile, row: u32, top: f32, total: f32) {
  let out = row * params.y_stride + tile.query;
  for (var d = 0u; d < params.lanes; d++) {
    y[out + d] = y[out + d] / total;
  }
  finish_lse(tile, row, top, total);
}

// Keeps the logarithm of a row's denominator. The last head writes zeros into the padding columns.
fn finish_lse(tile: Tile, row: u32, top: f32, total: f32) {
  let last = tile.head + 1u == params.heads;
  if (last) {
    for (var c = params.heads * params.lanes; c < params.y_stride; c++) {
      y[row * params.y_stride + c] = L(0.0);
    }
  }
  if (params.lse_stride == 0u) { return; }
  lse[row * params.lse_stride + tile.head] = top + log(total);
  if (last) {
    for (var c = params.heads; c < params.lse_stride; c++) {
      lse[row * params.lse_stride + c] = 0.0;
    }
  }
}
