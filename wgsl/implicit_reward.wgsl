// Rewards of sequences from their log-probabilities, m = scale (logp - reference):
//
// r = m, with scale beta (Rafailov et al. 2023, arXiv 2305.18290, section 4) or beta / tokens, and reference 0 where there
// is none (Meng et al. 2024, arXiv 2405.14734, eq. 4); with `odds`: r = beta (m - log(1 - exp(m))), scale 1 / tokens
// (Hong et al. 2024, arXiv 2403.07691, eq. 4).
//
// Shapes: logps, r [rows] (f32, every fourth word); terms [rows] vec4s (lib/implicit). Layout: one lane per row. The
// difference comes first: a policy with the reference's very log-probability has reward 0.
//#include grid
//#include implicit
@group(0) @binding(0) var<storage, read> logps: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> terms: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> rewards: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = workgroup_index(workgroup, grid) * WG + lane;
  if (n >= params.rows) { return; }
  let term = terms[n];
  let m = term.x * (logps[n].x - term.y);
  var r = m;
  if (params.odds != 0u) { r = params.beta * (m - log(one_minus_exp(m))); }
  rewards[n] = vec4<f32>(r, 0.0, 0.0, 0.0);
}
