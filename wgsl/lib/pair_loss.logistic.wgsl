// -q log sigmoid(z) - (1 - q) log sigmoid(-z), z = r_w - r_l - margin, q the label p, smoothed. Bradley & Terry 1952;
// Ouyang et al. 2022, arXiv 2203.02155, eq. 1; Rafailov et al. 2023, arXiv 2305.18290, eq. 7; margin: Touvron et al. 2023,
// arXiv 2307.09288, eq. 2; soft and smoothed labels: cross-entropy, Mitchell 2023, "A note on DPO with noisy preferences".
fn pair_loss(w: f32, l: f32, margin: f32, p: f32) -> vec3<f32> {
  return logistic(w - l - margin, smoothed(p, params.smoothing));
}
