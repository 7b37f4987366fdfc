// Mean of a row of x and the sum of its squared deviations, in one walk by one invocation. Needs x and lib/row_single.
struct Moments {
  mean: f32,
  squares: f32,
}

fn moments(row: Row) -> Moments {
  // Of the columns c, c + 4, ..., side by side for c = 0 .. 3.
  var mean = vec4<f32>(0.0);
  var squares = vec4<f32>(0.0);
  let whole = 4u * whole_chunks();
  for (var c = 0u; c < whole; c += 4u) {
    let v0 = x[row.base + c];
    let v1 = x[row.base + c + 1u];
    let v2 = x[row.base + c + 2u];
    let v3 = x[row.base + c + 3u];
    let own = ((v0 + v1) + (v2 + v3)) * 0.25;
    let d0 = v0 - own;
    let d1 = v1 - own;
    let d2 = v2 - own;
    let d3 = v3 - own;
    // c values so far, four more.
    let share = 4.0 / f32(c + 4u);
    let apart = own - mean;
    mean = fma(apart, vec4<f32>(share), mean);
    squares += fma(d0, d0, d1 * d1) + fma(d2, d2, d3 * d3);
    squares = fma(apart * apart, vec4<f32>(f32(c) * share), squares);
  }
  for (var c = whole; c < params.stride4; c++) {
    let v = x[row.base + c];
    let apart = v - mean;
    let seen = inside(c);
    let after = fma(apart, vec4<f32>(1.0 / f32(c + 1u)), mean);
    squares = select(squares, fma(apart, v - after, squares), seen);
    mean = select(mean, after, seen);
  }
  let counts = column_counts();
  let all = sum4(mean * counts) / f32(params.cols);
  let apart = mean - all;
  return Moments(all, sum4(fma(apart * apart, counts, squares)));
}
