// sigmoid(r_w) + 1 - sigmoid(r_w - r_l): D'Oosterlinck et al. 2024, arXiv 2408.06266, eq. 8.
fn apo_down(w: f32, l: f32) -> vec3<f32> {
  let apart = sigmoid_slope(w - l);
  return vec3<f32>(sigmoid(w) + sigmoid(l - w), sigmoid_slope(w) - apart, apart);
}

fn pair_loss(w: f32, l: f32, margin: f32, p: f32) -> vec3<f32> {
  return expected(p, apo_down(w, l), apo_down(l, w));
}
