// DPO of one pair from its four log-probabilities (policy chosen, policy rejected, reference chosen, reference rejected),
// written from the paper (Rafailov et al. 2023, arXiv 2305.18290) and sharing nothing with pairwise_logistic.wgsl:
//
// margin = beta (log pi_w - log ref_w) - beta (log pi_l - log ref_l);  loss = -log sigmoid(margin)              (eq. 7)
// d loss / d log pi_w = -beta sigmoid(-margin);  d loss / d log pi_l = +beta sigmoid(-margin)    (its gradient, section 4)
//
// Gives (loss, d loss / d log pi_w, d loss / d log pi_l, margin), none finite where a log-probability is not. Needs lib/finite.
fn dpo(logp: vec4<f32>, beta: f32) -> vec4<f32> {
  let extent = logp.x + logp.y + logp.z + logp.w;
  if (not_finite(extent)) { return vec4<f32>(extent); }
  let margin = beta * ((logp.x - logp.z) - (logp.y - logp.w));
  // 1 + e lies in [1, 2]: sigmoid(-margin) is e / (1 + e) or 1 / (1 + e), and log(1 + e) = 2 (s + s^3/3 + s^5/5 + ...).
  let e = exp(-abs(margin));
  let sigmoid = select(1.0, e, margin > 0.0) / (1.0 + e);
  let s = e / (2.0 + e);
  let s2 = s * s;
  var series = 0.0;
  for (var k = 15u; k > 1u; k -= 2u) { series = fma(series, s2, 1.0 / f32(k)); }
  series = fma(series, s2, 1.0);
  let loss = select(-margin, 0.0, margin > 0.0) + 2.0 * s * series;
  return vec4<f32>(loss, -beta * sigmoid, beta * sigmoid, margin);
}
