// -log sigmoid(r_w) - log sigmoid(-r_l): a binary classifier of replies, Jung et al. 2024, arXiv 2404.04656, without the
// paper's moving shift of the rewards (as TRL's bco_pair).
fn bco(w: f32, l: f32) -> vec3<f32> {
  return vec3<f32>(softplus(-w) + softplus(l), -sigmoid(-w), sigmoid(l));
}

fn pair_loss(w: f32, l: f32, margin: f32, p: f32) -> vec3<f32> {
  return expected(p, bco(w, l), bco(l, w));
}
