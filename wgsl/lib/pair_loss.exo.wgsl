// KL(q || t) of two replies: q = sigmoid(z), z = r_w - r_l - margin, against t, the label smoothed by ε > 0: q log(q / t)
// + (1 - q) log((1 - q) / (1 - t)). Ji et al. 2024, arXiv 2402.00856, eq. 16 (p = 1). q's entropy is written as
// log1p(exp(-|z|)) + |z| sigmoid(-|z|); the slope is sigmoid'(z) (z - logit(t)).
fn pair_loss(w: f32, l: f32, margin: f32, p: f32) -> vec3<f32> {
  let z = w - l - margin;
  let log_t = log(smoothed(p, params.smoothing));
  let log_other = log(smoothed(1.0 - p, params.smoothing));
  let e = exp(-abs(z));
  let entropy = log1p(e) + abs(z) * e / (1.0 + e);
  let slope = sigmoid_slope(z) * (z - log_t + log_other);
  return vec3<f32>(-sigmoid(z) * log_t - sigmoid(-z) * log_other - entropy, slope, -slope);
}
