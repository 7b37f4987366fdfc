// Mean and 1 / sqrt(variance + eps) of the caller's row of x; for RMSNorm (CENTERED 0) the mean counts as 0. Eight lanes
// share a row (lib/row_sum); two passes, as the forward kernels. Needs x, params.cols, params.eps and lib/row_sum.
override CENTERED: u32 = 0;

struct Statistics {
  mean: f32,
  scale: f32,
}

// The caller's lane takes vec4s first, first + 8, ... before `end` of the row that begins at `base`.
fn statistics(lane: u32, base: u32, first: u32, end: u32) -> Statistics {
  var mean = 0.0;
  if (CENTERED == 1u) {
    var sum = vec4<f32>(0.0);
    for (var c = first; c < end; c += LANES) {
      sum += x[base + c];
    }
    mean = row_sum(lane, sum4(sum)) / f32(params.cols);
  }
  var squares = vec4<f32>(0.0);
  for (var c = first; c < end; c += LANES) {
    let d = within(x[base + c] - mean, c, params.cols);
    squares = fma(d, d, squares);
  }
  return Statistics(mean, 1.0 / sqrt(row_sum(lane, sum4(squares)) / f32(params.cols) + params.eps));
}
