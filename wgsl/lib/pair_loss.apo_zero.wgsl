// 1 - sigmoid(r_w) + sigmoid(r_l): D'Oosterlinck et al. 2024, arXiv 2408.06266, eq. 7.
fn apo_zero(w: f32, l: f32) -> vec3<f32> {
  return vec3<f32>(sigmoid(-w) + sigmoid(l), -sigmoid_slope(w), sigmoid_slope(l));
}

fn pair_loss(w: f32, l: f32, margin: f32, p: f32) -> vec3<f32> {
  return expected(p, apo_zero(w, l), apo_zero(l, w));
}
