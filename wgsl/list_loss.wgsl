// A loss of L ranked lists of rewards, its gradient, and the step's metrics. Which loss, one of lib/list_loss.*.wgsl says.
//
// loss = mean over lists of list_loss, which adds its gradient to `gradient`; that is then divided by `total`: L, or the
// lists of all micro-batches whose gradients add.
// A reward that is not finite makes its list's gradients and the loss not finite.
// Shapes: rewards, gains, gradient [n vec4s], the value in .x (rows padded to 16 bytes); a larger gain is a better reply,
// equal gains are ties. offsets [L + 1 vec4s of i32]: list i is rows offsets[i] .. offsets[i + 1]. metrics: 7 words from
// `metrics_at`: loss, accuracy (share of the pairs with gains apart whose better reply has the larger reward; ties are
// wrong), share of such pairs with equal rewards, their mean difference of rewards, then smallest, mean and largest reward.
// Layout: one workgroup; lane l takes lists l, l + 64, ... Accumulation: f32, ascending, then the lanes in order; the loss
// as a running mean.
// Source: the losses' own files.
//#header list_loss
//#include finite
//#include stable
struct Params {
  lists: u32,
  total: u32,
  metrics_at: u32,
  lanes: u32,
}
@group(0) @binding(0) var<storage, read> rewards: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> gains: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> offsets: array<vec4<i32>>;
@group(0) @binding(3) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> metrics: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

const WG = 64u;
// mean loss; sums of right pairs, tied pairs, differences
var<workgroup> sums: array<vec4<f32>, WG>;
// smallest, sum, largest of the rewards; pairs with gains apart
var<workgroup> ranges: array<vec4<f32>, WG>;

fn joined(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(min(a.x, b.x), a.y + b.y, max(a.z, b.z), a.w + b.w);
}

// Right pairs, tied pairs, sum of differences, and the number of pairs with gains apart.
fn counted(begin: u32, end: u32) -> vec4<f32> {
  var counts = vec4<f32>(0.0);
  for (var i = begin; i < end; i++) {
    for (var j = begin; j < end; j++) {
      if (gains[i].x <= gains[j].x) { continue; }
      let difference = rewards[i].x - rewards[j].x;
      counts += vec4<f32>(select(0.0, 1.0, difference > 0.0), select(0.0, 1.0, difference == 0.0), difference, 1.0);
    }
  }
  return counts;
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = vec4<f32>(0.0);
  var range = vec4<f32>(3.4e38, 0.0, -3.4e38, 0.0);
  var count = 0.0;
  for (var list = lane; list < params.lists; list += params.lanes) {
    let begin = u32(offsets[list].x);
    let end = u32(offsets[list + 1u].x);
    var extent = 0.0;
    for (var i = begin; i < end; i++) {
      let r = rewards[i].x;
      gradient[i] = vec4<f32>(0.0);
      extent += r + gains[i].x;
      range = joined(range, vec4<f32>(r, r, r, 0.0));
    }
    var loss = list_loss(begin, end);
    let bad = not_finite(extent);
    if (bad) { loss = extent; }
    for (var i = begin; i < end; i++) { gradient[i].x = select(gradient[i].x / f32(params.total), extent, bad); }
    let counts = counted(begin, end);
    count += 1.0;
    sum += vec4<f32>((loss - sum.x) / count, counts.xyz);
    range.w += counts.w;
  }
  sums[lane] = sum;
  ranges[lane] = range;
  workgroupBarrier();
  if (lane != 0u) { return; }
  for (var other = 1u; other < min(params.lanes, params.lists); other++) {
    let theirs = f32((params.lists - other + params.lanes - 1u) / params.lanes);
    count += theirs;
    sum += vec4<f32>((sums[other].x - sum.x) * (theirs / count), sums[other].yzw);
    range = joined(range, ranges[other]);
  }
  // min and max may lose a NaN; the sum does not.
  if (not_finite(range.y)) { range = vec4<f32>(range.yyy, range.w); }
  let rows = f32(offsets[params.lists].x - offsets[0].x);
  let pairs = max(range.w, 1.0);
  let at = params.metrics_at;
  metrics[at] = sum.x;
  metrics[at + 1u] = sum.y / pairs;
  metrics[at + 2u] = sum.z / pairs;
  metrics[at + 3u] = sum.w / pairs;
  metrics[at + 4u] = range.x;
  metrics[at + 5u] = range.y / rows;
  metrics[at + 6u] = range.z;
}
