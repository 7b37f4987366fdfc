// Logarithms and sigmoids that keep their digits wherever x lies.

// log(1 + u) for u in [0, 1]: 2 atanh(s), s = u / (2 + u) <= 1/3; the first term left out is below 2e-9 of the sum.
fn log1p(u: f32) -> f32 {
  let s = u / (2.0 + u);
  let q = s * s;
  var p = fma(q, 1.0 / 15.0, 1.0 / 13.0);
  p = fma(q, p, 1.0 / 11.0);
  p = fma(q, p, 1.0 / 9.0);
  p = fma(q, p, 1.0 / 7.0);
  p = fma(q, p, 1.0 / 5.0);
  p = fma(q, p, 1.0 / 3.0);
  p = fma(q, p, 1.0);
  return 2.0 * s * p;
}

// -log sigmoid(-x) = log(1 + exp(x)).
fn softplus(x: f32) -> f32 {
  return max(x, 0.0) + log1p(exp(-abs(x)));
}

fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(1.0, e, x < 0.0) / (1.0 + e);
}

// sigmoid(x) sigmoid(-x), the derivative of the sigmoid.
fn sigmoid_slope(x: f32) -> f32 {
  let e = exp(-abs(x));
  return e / ((1.0 + e) * (1.0 + e));
}
