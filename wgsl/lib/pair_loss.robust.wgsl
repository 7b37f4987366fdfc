// (-(1 - ε) log sigmoid(z) + ε log sigmoid(-z)) / (1 - 2 ε), z = r_w - r_l - margin: the logistic loss whose mean under
// labels that flip with probability ε is the loss of the true ones. Ray Chowdhury et al. 2024, arXiv 2403.00409. It is
// the logistic loss at the label (p - ε) / (1 - 2 ε), which smoothing by ε would make p again.
fn pair_loss(w: f32, l: f32, margin: f32, p: f32) -> vec3<f32> {
  return logistic(w - l - margin, (p - params.smoothing) / (1.0 - 2.0 * params.smoothing));
}
