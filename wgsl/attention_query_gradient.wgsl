// Attention's gradient for the queries: dq = scale sum_j ds_j k_j over the keys that a row sees, with
// p_j = exp(scale q . k_j - lse) and ds_j = p_j (dy . v_j - delta). Needs no feature; attention_query_gradient_subgroups
// is the variant for devices with subgroups.
//
// Shapes: lib/attention_query_gradient; dq goes to q's columns of dqkv, the others are left alone. Layout: as in
// attention.wgsl, a workgroup owns up to WG rows and one query head, an invocation one row; keys and values are loaded
// at the same addresses by all rows that see them, and dq is accumulated in dqkv. Accumulation: f32, keys in the order
// of the path. Source: Dao et al. 2022, arXiv 2205.14135, appendix B.2; Dao 2023, arXiv 2307.08691, algorithm 2.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_path
//#include attention_own_path
//#include attention_query_gradient

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid);
  if (index >= params.tiles * params.heads) { return; }
  let tile = tile_of(index);
  if (lane >= tile.count) { return; }
  let row = tile.row + lane;
  let path = path_of(tile, row);
  let q_at = row * params.qkv_stride + tile.query;
  let g_at = row * params.y_stride + tile.query;
  let denominator = lse[row * params.lse_stride + tile.head];
  let mean = delta[row * params.lse_stride + tile.head];
  for (var t = 0u; t <= path.last; t += 4u) {
    let r0 = row_at(path, t);
    let r1 = row_at(path, t + 1u);
    let r2 = row_at(path, t + 2u);
    let r3 = row_at(path, t + 3u);
    var s = vec4<f32>(0.0);
    var e = vec4<f32>(0.0);
    for (var d = 0u; d < params.lanes; d++) {
      let k = tile.key + d;
      let v = tile.value + d;
      s += scores4(qkv[q_at + d] * params.scale, qkv[r0 + k], qkv[r1 + k], qkv[r2 + k], qkv[r3 + k]);
      e += scores4(dy[g_at + d], qkv[r0 + v], qkv[r1 + v], qkv[r2 + v], qkv[r3 + v]);
    }
    let see = sees(path.last + 1u, t);
    let ds = exp(s - denominator) * (e - mean) * params.scale;
    for (var d = 0u; d < params.lanes; d++) {
      let k = tile.key + d;
      var acc = L(0.0);
      if (t > 0u) { acc = dqkv[q_at + d]; }
      dqkv[q_at + d] = add4(acc, ds, see, qkv[r0 + k], qkv[r1 + k], qkv[r2 + k], qkv[r3 + k]);
    }
  }
}
