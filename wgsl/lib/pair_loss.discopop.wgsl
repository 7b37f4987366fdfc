// (1 - m) (-log sigmoid(z)) + m exp(-z), m = sigmoid(z / τ), z = r_w - r_l - margin: Lu et al. 2024, arXiv 2406.08414,
// eq. 5. m exp(-z) is written as one exponential: for z < 0, exp(z / τ - z) / (1 + exp(z / τ)), which with τ <= 1 stays
// below 1 where exp(-z) alone overflows.
fn discopop(z: f32) -> vec2<f32> {
  let m = sigmoid(z / params.tau);
  let rest = sigmoid(-z / params.tau);
  let tail = exp(select(-z, z / params.tau - z, z < 0.0)) / (1.0 + exp(-abs(z) / params.tau));
  let logistic_part = softplus(-z);
  let slope = rest * (tail - m * logistic_part) / params.tau - rest * sigmoid(-z) - tail;
  return vec2<f32>(rest * logistic_part + tail, slope);
}

fn pair_loss(w: f32, l: f32, margin: f32, p: f32) -> vec3<f32> {
  let z = w - l - margin;
  return expected_of_difference(p, discopop(z), discopop(-z));
}
