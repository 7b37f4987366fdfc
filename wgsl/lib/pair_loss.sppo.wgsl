// (r_w / β - 1 / (2 β))^2 + (r_l / β + 1 / (2 β))^2 with r = β ρ: Wu et al. 2024, arXiv 2405.00675, with the winner's
// probability taken as 1 (TRL's sppo_hard).
fn sppo(w: f32, l: f32) -> vec3<f32> {
  let a = (w - 0.5) / params.beta;
  let b = (l + 0.5) / params.beta;
  return vec3<f32>(a * a + b * b, 2.0 * a / params.beta, 2.0 * b / params.beta);
}

fn pair_loss(w: f32, l: f32, margin: f32, p: f32) -> vec3<f32> {
  return expected(p, sppo(w, l), sppo(l, w));
}
