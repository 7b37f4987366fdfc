// Desirable: weight (1 - sigmoid(r - z)); undesirable: weight (1 - sigmoid(z - r)), z without a gradient. Ethayarajh et al.
// 2024, arXiv 2402.01306, eq. 7 (its constant λ_y - v(x, y)), with r = β ρ and z = β z_0.
fn row_loss(r: f32, z: f32, p: f32) -> vec2<f32> {
  let good = p * params.desirable;
  let bad = (1.0 - p) * params.undesirable;
  return vec2<f32>(good * sigmoid(z - r) + bad * sigmoid(r - z), (bad - good) * sigmoid_slope(r - z));
}
