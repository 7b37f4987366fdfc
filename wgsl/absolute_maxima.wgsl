// The largest magnitude of a tensor in 64 parts, as bits, for the scale of a gradient in the tensor-core class
// (linear_subgroup_matrix): maxima[p] = max bits(|x|) over the vec4s p, p + 64, ... in groups of WG. Bits of magnitudes are
// ordered as the magnitudes are, and NaN comes last. Shapes: x [count] vec4s f32, padding included; maxima [64] u32. No sum,
// so the order changes nothing.
//#include grid
struct Params {
  count: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> maxima: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;
const parts = 64u;
var<workgroup> largest: atomic<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let part = workgroup_index(workgroup, grid);
  if (part >= parts) { return; }
  var own = vec4<u32>(0u);
  for (var i = part * WG + lane; i < params.count; i += parts * WG) {
    own = max(own, bitcast<vec4<u32>>(x[i]) & vec4<u32>(0x7fffffffu));
  }
  atomicMax(&largest, max(max(own.x, own.y), max(own.z, own.w)));
  workgroupBarrier();
  if (lane == 0u) { maxima[part] = atomicLoad(&largest); }
}
