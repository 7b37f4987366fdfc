// What the losses of pairs are written with. A pair's loss is a vec3: the loss, d loss / d r_w, d loss / d r_l.

// -p log sigmoid(z) - (1 - p) log sigmoid(-z) of z = r_w - r_l - margin, as p max(-z, 0) + (1 - p) max(z, 0) +
// log1p(exp(-|z|)), which for p = 1 is softplus(-z) to the bit. p may lie outside of [0, 1].
fn logistic(z: f32, p: f32) -> vec3<f32> {
  let e = exp(-abs(z));
  let larger = 1.0 / (1.0 + e);
  let smaller = e / (1.0 + e);
  let pull = p * select(smaller, larger, z < 0.0) - (1.0 - p) * select(larger, smaller, z < 0.0);
  return vec3<f32>(p * max(-z, 0.0) + (1.0 - p) * max(z, 0.0) + log1p(e), -pull, pull);
}

// The loss of a label: with probability p the chosen reply is the better one (`right`), else the other (`wrong`, the loss
// of the pair with its sides exchanged).
fn expected(p: f32, right: vec3<f32>, wrong: vec3<f32>) -> vec3<f32> {
  return p * right + (1.0 - p) * wrong.xzy;
}

// The same for a loss of the difference alone: (loss, slope) at z and at -z.
fn expected_of_difference(p: f32, right: vec2<f32>, wrong: vec2<f32>) -> vec3<f32> {
  let slope = p * right.y - (1.0 - p) * wrong.y;
  return vec3<f32>(p * right.x + (1.0 - p) * wrong.x, slope, -slope);
}

// p where labels are known to be exchanged with probability `flips`.
fn smoothed(p: f32, flips: f32) -> f32 {
  return flips + (1.0 - 2.0 * flips) * p;
}
