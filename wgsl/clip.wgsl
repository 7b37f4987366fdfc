// The step's verdict: the global gradient norm, the factor that clips it, and whether the step may be taken.
//
// norm = sqrt(sum of partials); factor = min(1, max_norm / (norm + 1e-6)), 1 where max_norm is 0, as
// torch.nn.utils.clip_grad_norm_. A norm or a loss that is not finite latches this step's number (from 1) in
// control.bad_step; it stays there, and adamw writes nothing any more.
// Shapes: partials [count]; metrics: the step's losses, one for each micro-batch, in `losses` words from `loss_at` on,
// `loss_stride` apart; the norm goes to word `norm_at`; control, see below.
// Layout: one workgroup. Accumulation: f32; lane l takes partials l, l + 64, ..., then the lanes in order.
//#include finite
struct Params {
  count: u32,
  step: u32,
  loss_at: u32,
  losses: u32,
  loss_stride: u32,
  norm_at: u32,
  max_norm: f32,
  lanes: u32,
}
struct Control {
  bad_step: u32,
  factor: f32,
}
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> metrics: array<f32>;
@group(0) @binding(2) var<storage, read_write> control: Control;
@group(0) @binding(3) var<uniform> params: Params;

const WG = 64u;
var<workgroup> sums: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < params.count; i += params.lanes) {
    sum += partials[i];
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane != 0u) { return; }
  var total = 0.0;
  for (var l = 0u; l < params.lanes; l++) {
    total += sums[l];
  }
  var norm = total;
  // sqrt is left out for Inf and NaN, which it need not keep.
  if (!not_finite(total)) { norm = sqrt(total); }
  metrics[params.norm_at] = norm;
  var bad = not_finite(norm);
  for (var i = 0u; i < params.losses; i++) {
    bad = bad || not_finite(metrics[params.loss_at + i * params.loss_stride]);
  }
  if (control.bad_step == 0u && bad) { control.bad_step = params.step; }
  var factor = 1.0;
  if (params.max_norm > 0.0) { factor = min(1.0, params.max_norm / (norm + 1e-6)); }
  control.factor = factor;
}
