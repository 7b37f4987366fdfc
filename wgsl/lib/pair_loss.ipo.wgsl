// (z / β - 1 / (2 β))^2, z = r_w - r_l - margin with r = β ρ: Azar et al. 2023, arXiv 2310.12036, eq. 17.
fn ipo(z: f32) -> vec2<f32> {
  let away = (z - 0.5) / params.beta;
  return vec2<f32>(away * away, 2.0 * away / params.beta);
}

fn pair_loss(w: f32, l: f32, margin: f32, p: f32) -> vec3<f32> {
  let z = w - l - margin;
  return expected_of_difference(p, ipo(z), ipo(-z));
}
