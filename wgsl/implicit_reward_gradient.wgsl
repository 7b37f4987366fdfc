// The backward of implicit_reward, with the gradient of a negative log-likelihood that is trained beside it:
//
// d loss / d logp = (d loss / d r) scale + nll, with `odds`: (d loss / d r) beta scale / (1 - exp(m)) + nll
//
// Shapes: gradient, logps, dlogps [rows] (f32, every fourth word); terms [rows] vec4s (lib/implicit). Layout: one lane per row.
//#include grid
//#include implicit
@group(0) @binding(0) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> logps: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> terms: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dlogps: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = workgroup_index(workgroup, grid) * WG + lane;
  if (n >= params.rows) { return; }
  let term = terms[n];
  var slope = term.x;
  if (params.odds != 0u) { slope *= params.beta / one_minus_exp(term.x * (logps[n].x - term.y)); }
  dlogps[n] = vec4<f32>(fma(gradient[n].x, slope, term.z), 0.0, 0.0, 0.0);
}
