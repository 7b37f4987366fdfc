// What the implicit reward and its backward share. `terms` holds per sequence a vec4 (scale, reference, NLL coefficient, 0).
struct Params {
  rows: u32,
  odds: u32,
  beta: f32,
}

// 1 - exp(m) for m <= 0. Near 0 by its series, -(m + m^2/2! + m^3/3! + ...), where the difference would lose digits.
fn one_minus_exp(m: f32) -> f32 {
  if (m < -0.3) { return 1.0 - exp(m); }
  var series = 1.0;
  for (var k = 9u; k > 1u; k--) { series = fma(series, m / f32(k), 1.0); }
  return -m * series;
}
