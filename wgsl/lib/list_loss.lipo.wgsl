// Σ over pairs with G_i > G_j of Δ_ij log(1 + exp(-(r_i - r_j))), Δ_ij = |G_i - G_j| |1 / D(τ_i) - 1 / D(τ_j)|, where G is
// the gain 2^ψ - 1, D(τ) = log(1 + τ), and τ_i the place of reply i by reward, from 1, equal rewards in the list's order
// (a shared place would leave new heads without a gradient). Δ has no gradient. Liu et al. 2024, arXiv 2402.01878 (LiPO-λ).
fn list_loss(begin: u32, end: u32) -> f32 {
  var loss = 0.0;
  for (var i = begin; i < end; i++) {
    for (var j = begin; j < end; j++) {
      let apart = gains[i].x - gains[j].x;
      if (apart <= 0.0) { continue; }
      let weight = apart * abs(discount(begin, end, i) - discount(begin, end, j));
      let z = rewards[i].x - rewards[j].x;
      let pull = weight * sigmoid(-z);
      loss += weight * softplus(-z);
      gradient[i].x -= pull;
      gradient[j].x += pull;
    }
  }
  return loss;
}

// 1 / D(τ) of a reply.
fn discount(begin: u32, end: u32, reply: u32) -> f32 {
  let mine = rewards[reply].x;
  var place = 1.0;
  for (var k = begin; k < end; k++) {
    let theirs = rewards[k].x;
    if (theirs > mine || (theirs == mine && k < reply)) { place += 1.0; }
  }
  return 1.0 / log(1.0 + place);
}
