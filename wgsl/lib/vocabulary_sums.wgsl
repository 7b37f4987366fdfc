// The running log-sum-exp of a row of logits. Sixteen lanes share a row: lane l takes the vec4s l, l + 16, ... of the
// whole vocabulary, and keeps in `sums` one vec4: the largest logit so far, the sum of exp(logit - largest), the target's
// logit (0 where another lane meets it), and the sum of all logits, which is finite only where all of them are. What a
// lane adds depends on the word's index alone, so tiles may be cut at any multiple of 64 words without changing a bit.
const LANES = 16u;
const LOWEST = -0x1.fffffep+127f;

// exp(before - after), and exactly 1 where both are equal.
fn rescale(before: f32, after: f32) -> f32 {
  return select(exp(before - after), 1.0, before == after);
}
