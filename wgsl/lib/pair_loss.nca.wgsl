// -log sigmoid(r_w) - log sigmoid(-r_w) / 2 - log sigmoid(-r_l) / 2: NCA of two replies, Chen et al. 2024, arXiv
// 2402.05369.
fn nca(w: f32, l: f32) -> vec3<f32> {
  return vec3<f32>(softplus(-w) + 0.5 * (softplus(w) + softplus(l)), 0.5 * sigmoid(w) - sigmoid(-w), 0.5 * sigmoid(l));
}

fn pair_loss(w: f32, l: f32, margin: f32, p: f32) -> vec3<f32> {
  return expected(p, nca(w, l), nca(l, w));
}
