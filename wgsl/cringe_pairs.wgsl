// The pairwise CRINGE loss of n pairs, its gradient, and the step's metrics:
//
// loss = mean(g (-r_w + weight c)), g = sigmoid((margin - M) / temperature), M = r_w - r_l
//
// where r is a reply's log-probability and c the rejected reply's CRINGE penalty (cringe_sample), summed over its tokens.
// gradient = d loss / d (r_w, r_l, c), also through the gate g; its sum over pairs is divided by `total`.
// Shapes: scores, gradient [3 n vec4s], the value in .x: chosen's r, rejected's r, rejected's c. metrics: 7 words from
// `metrics_at`: loss, share with r_w > r_l, share of ties, mean(r_w - r_l), then smallest, mean and largest r.
// Layout: one workgroup; lane l takes pairs l, l + 64, ... Accumulation: f32, ascending, then the lanes in order.
// Source: after Xu et al. 2023, arXiv 2312.16682; src/train/losses/cringe.ts says what of it is our reading.
//#include finite
//#include stable
struct Params {
  pairs: u32,
  total: u32,
  metrics_at: u32,
  lanes: u32,
  weight: f32,
  margin: f32,
  temperature: f32,
}
@group(0) @binding(0) var<storage, read> scores: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> metrics: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const WG = 64u;
// sums of the loss, right pairs, ties, margin
var<workgroup> sums: array<vec4<f32>, WG>;
// smallest, sum, largest of the log-probabilities
var<workgroup> ranges: array<vec4<f32>, WG>;

fn joined(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(min(a.x, b.x), a.y + b.y, max(a.z, b.z), 0.0);
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
  let n = f32(params.pairs);
  var sum = vec4<f32>(0.0);
  var range = vec4<f32>(3.4e38, 0.0, -3.4e38, 0.0);
  for (var i = lane; i < params.pairs; i += params.lanes) {
    let w = scores[i].x;
    let l = scores[params.pairs + i].x;
    let c = scores[2u * params.pairs + i].x;
    let z = (params.margin - (w - l)) / params.temperature;
    let gate = sigmoid(z);
    let inner = params.weight * c - w;
    // Through the gate: it falls as M grows.
    let through = inner * sigmoid_slope(z) / params.temperature;
    var loss = gate * inner;
    var grads = vec3<f32>(-gate - through, through, gate * params.weight) / f32(params.total);
    let extent = w + l + c;
    if (not_finite(extent)) {
      loss = extent;
      grads = vec3<f32>(extent);
    }
    gradient[i] = vec4<f32>(grads.x, 0.0, 0.0, 0.0);
    gradient[params.pairs + i] = vec4<f32>(grads.y, 0.0, 0.0, 0.0);
    gradient[2u * params.pairs + i] = vec4<f32>(grads.z, 0.0, 0.0, 0.0);
    sum += vec4<f32>(loss, select(0.0, 1.0, w > l), select(0.0, 1.0, w == l), w - l);
    range = joined(range, vec4<f32>(min(w, l), w + l, max(w, l), 0.0));
  }
  sums[lane] = sum;
  ranges[lane] = range;
  workgroupBarrier();
  if (lane != 0u) { return; }
  for (var other = 1u; other < min(params.lanes, params.pairs); other++) {
    sum += sums[other];
    range = joined(range, ranges[other]);
  }
  // min and max may lose a NaN; the sum does not.
  if (not_finite(range.y)) { range = range.yyyy; }
  let at = params.metrics_at;
  metrics[at] = sum.x / n;
  metrics[at + 1u] = sum.y / n;
  metrics[at + 2u] = sum.z / n;
  metrics[at + 3u] = sum.w / n;
  metrics[at + 4u] = range.x;
  metrics[at + 5u] = range.y / (2.0 * n);
  metrics[at + 6u] = range.z;
}
