// A loss of n pairs of rewards, its gradient, and the step's metrics. Which loss, one of lib/pair_loss.*.wgsl says.
//
// loss = mean(pair_loss(r_w, r_l, margin, p)) + centering * mean((r_w + r_l)^2), where p is the probability that the
// chosen reply is the better one: 1 for a plain preference, 0.5 for a tie. gradient = d loss / d rewards, its sum over
// pairs divided by `total`: n, or the pairs of all micro-batches whose gradients add.
// A reward that is not finite makes its gradients and the loss not finite, also where the formula would give 0.
// Shapes: rewards, gradient [2 n vec4s], the value in .x (rows padded to 16 bytes): chosen in [0, n), rejected in
// [n, 2 n). margins, labels [n vec4s], likewise. metrics: 7 words from `metrics_at`, of these n pairs whatever `total`
// is: loss, accuracy (the reply that p prefers has the larger reward; ties are wrong; pairs with p = 0.5 have no right
// answer and are left out, 0 where no other is there), share of ties, mean(r_w - r_l), then smallest, mean and largest
// reward of both sides.
// Layout: one workgroup; lane l takes pairs l, l + 64, ... Accumulation: f32, ascending, then the lanes in order; the
// loss as a running mean, which equal losses leave as they are: ln 2 to the bit where all rewards are 0.
// Source: the losses' own files; centering: Eisenstein et al. 2023, arXiv 2312.09244, eq. 2.
//#header pair_loss
//#include finite
//#include stable
//#include pair
struct Params {
  pairs: u32,
  total: u32,
  metrics_at: u32,
  centering: f32,
  lanes: u32,
  beta: f32,
  smoothing: f32,
  tau: f32,
}
@group(0) @binding(0) var<storage, read> rewards: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> margins: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> labels: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> metrics: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

const WG = 64u;
// mean loss; sums of right pairs, ties, margin
var<workgroup> sums: array<vec4<f32>, WG>;
// smallest, sum, largest of the rewards; pairs that have a right answer
var<workgroup> ranges: array<vec4<f32>, WG>;

fn joined(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(min(a.x, b.x), a.y + b.y, max(a.z, b.z), a.w + b.w);
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
  let n = f32(params.pairs);
  var sum = vec4<f32>(0.0);
  var range = vec4<f32>(3.4e38, 0.0, -3.4e38, 0.0);
  var count = 0.0;
  for (var i = lane; i < params.pairs; i += params.lanes) {
    let w = rewards[i].x;
    let l = rewards[params.pairs + i].x;
    let p = labels[i].x;
    let both = w + l;
    let of_pair = pair_loss(w, l, margins[i].x, p);
    var loss = of_pair.x + params.centering * both * both;
    let centre = 2.0 * params.centering * both;
    var grads = vec2<f32>(centre + of_pair.y, centre + of_pair.z) / f32(params.total);
    let extent = both + margins[i].x + p;
    if (not_finite(extent)) {
      loss = extent;
      grads = vec2<f32>(extent);
    }
    gradient[i] = vec4<f32>(grads.x, 0.0, 0.0, 0.0);
    gradient[params.pairs + i] = vec4<f32>(grads.y, 0.0, 0.0, 0.0);
    count += 1.0;
    let right = (p > 0.5 && w > l) || (p < 0.5 && l > w);
    sum += vec4<f32>((loss - sum.x) / count, select(0.0, 1.0, right), select(0.0, 1.0, w == l), w - l);
    range = joined(range, vec4<f32>(min(w, l), both, max(w, l), select(1.0, 0.0, p == 0.5)));
  }
  sums[lane] = sum;
  ranges[lane] = range;
  workgroupBarrier();
  if (lane != 0u) { return; }
  for (var other = 1u; other < min(params.lanes, params.pairs); other++) {
    let theirs = f32((params.pairs - other + params.lanes - 1u) / params.lanes);
    count += theirs;
    sum += vec4<f32>((sums[other].x - sum.x) * (theirs / count), sums[other].yzw);
    range = joined(range, ranges[other]);
  }
  // min and max may lose a NaN; the sum does not.
  if (not_finite(range.y)) { range = vec4<f32>(range.yyy, range.w); }
  let at = params.metrics_at;
  metrics[at] = sum.x;
  metrics[at + 1u] = sum.y / max(range.w, 1.0);
  metrics[at + 2u] = sum.z / n;
  metrics[at + 3u] = sum.w / n;
  metrics[at + 4u] = range.x;
  metrics[at + 5u] = range.y / (2.0 * n);
  metrics[at + 6u] = range.z;
}
