// A loss of n single rewards, each of a reply that was found desirable or not, its gradient, and the step's metrics.
// Which loss, one of lib/row_loss.*.wgsl says.
//
// loss = mean(row_loss(r, z, p)), p = 1 for a desirable reply, 0 for an undesirable one, z one point of reference for all
// rows. gradient = d loss / d rewards, its sum over rows divided by `total`: n, or the rows of all micro-batches.
// A reward that is not finite makes its gradient and the loss not finite, also where the formula would give a number.
// Shapes: rewards, labels, gradient [n vec4s], the value in .x (rows padded to 16 bytes); reference [1 vec4], z in .x.
// metrics: 7 words from `metrics_at`, of these n rows: loss, accuracy (a desirable reply's reward lies above z, an
// undesirable one's below; equality is wrong), share of r = z, mean desirable reward minus mean undesirable one (0 where
// one side is empty), then smallest, mean and largest reward.
// Layout: one workgroup; lane l takes rows l, l + 64, ... Accumulation: f32, ascending, then the lanes in order; the loss
// as a running mean.
// Source: the losses' own files.
//#header row_loss
//#include finite
//#include stable
struct Params {
  rows: u32,
  total: u32,
  metrics_at: u32,
  lanes: u32,
  desirable: f32,
  undesirable: f32,
}
@group(0) @binding(0) var<storage, read> rewards: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> labels: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> reference: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> metrics: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

const WG = 64u;
// mean loss; sums of right rows, rows at z, rewards
var<workgroup> sums: array<vec4<f32>, WG>;
// smallest and largest reward; sum of the desirable ones, their number
var<workgroup> ranges: array<vec4<f32>, WG>;

fn joined(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(min(a.x, b.x), max(a.y, b.y), a.z + b.z, a.w + b.w);
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
  let n = f32(params.rows);
  let z = reference[0].x;
  var sum = vec4<f32>(0.0);
  var range = vec4<f32>(3.4e38, -3.4e38, 0.0, 0.0);
  var count = 0.0;
  for (var i = lane; i < params.rows; i += params.lanes) {
    let r = rewards[i].x;
    let p = labels[i].x;
    let of_row = row_loss(r, z, p);
    var loss = of_row.x;
    var slope = of_row.y / f32(params.total);
    let extent = r + z + p;
    if (not_finite(extent)) {
      loss = extent;
      slope = extent;
    }
    gradient[i] = vec4<f32>(slope, 0.0, 0.0, 0.0);
    count += 1.0;
    let good = p > 0.5;
    let right = (good && r > z) || (!good && r < z);
    sum += vec4<f32>((loss - sum.x) / count, select(0.0, 1.0, right), select(0.0, 1.0, r == z), r);
    range = joined(range, vec4<f32>(r, r, select(0.0, r, good), select(0.0, 1.0, good)));
  }
  sums[lane] = sum;
  ranges[lane] = range;
  workgroupBarrier();
  if (lane != 0u) { return; }
  for (var other = 1u; other < min(params.lanes, params.rows); other++) {
    let theirs = f32((params.rows - other + params.lanes - 1u) / params.lanes);
    count += theirs;
    sum += vec4<f32>((sums[other].x - sum.x) * (theirs / count), sums[other].yzw);
    range = joined(range, ranges[other]);
  }
  // min and max may lose a NaN; the sum does not.
  if (not_finite(sum.w)) { range = vec4<f32>(sum.ww, sum.w, range.w); }
  let bad = n - range.w;
  let apart = range.z / max(range.w, 1.0) - (sum.w - range.z) / max(bad, 1.0);
  let at = params.metrics_at;
  metrics[at] = sum.x;
  metrics[at + 1u] = sum.y / n;
  metrics[at + 2u] = sum.z / n;
  metrics[at + 3u] = select(apart, 0.0, min(range.w, bad) == 0.0);
  metrics[at + 4u] = range.x;
  metrics[at + 5u] = sum.w / n;
  metrics[at + 6u] = range.y;
}
