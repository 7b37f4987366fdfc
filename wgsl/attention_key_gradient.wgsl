// Attention's gradients for keys and values: dv_j = sum_i p_ij dy_i and dk_j = scale sum_i ds_ij q_i over the queries i
// that see row j, with p_ij = exp(scale q_i . k_j - lse_i) and ds_ij = p_ij (dy_i . v_j - delta_i). Needs no feature;
// attention_key_gradient_subgroups is the variant for devices with subgroups.
//
// Shapes: lib/attention_key_gradient; the gradients go to k's and v's columns of dqkv, q's are left alone. Layout: a
// workgroup owns up to WG rows of one segment and one key/value head, an invocation one row; queries are loaded at
// workgroup-uniform addresses, and the sums are accumulated in dqkv. Accumulation: f32; the key's own segment and
// its children, as one run of rows where they follow upon each other, as packed batches have them; in each run the query
// heads of the group, in each head the queries in order of rows. No atomics, so the order is fixed. Source: Dao et al. 2022, arXiv 2205.14135, appendix B.2; Dao 2023, arXiv 2307.08691, algorithm 2.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_key_gradient

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid);
  if (index >= params.tiles * kv_heads()) { return; }
  let tile = key_tile_of(index);
  if (lane >= tile.count) { return; }
  let row = tile.row + lane;
  let k_at = row * params.qkv_stride + tile.key;
  let v_at = row * params.qkv_stride + tile.value;
  var started = false;
  for (var r = tile.first_range; r < tile.end_range; r++) {
    let range = ranges[r].xy;
    for (var head = tile.head; head < tile.head + params.group; head++) {
      let query = head * params.lanes;
      for (var t = max(range.x, tile.row); t < range.y; t += 4u) {
        // Rows past the end repeat the last one; they are not seen.
        let rows = min(vec4<u32>(t) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(range.y - 1u));
        let q = rows * params.qkv_stride + query;
        let g = rows * params.y_stride + query;
        var s = vec4<f32>(0.0);
        var e = vec4<f32>(0.0);
        for (var d = 0u; d < params.lanes; d++) {
          s += scores4(qkv[k_at + d] * params.scale, qkv[q.x + d], qkv[q.y + d], qkv[q.z + d], qkv[q.w + d]);
          e += scores4(qkv[v_at + d], dy[g.x + d], dy[g.y + d], dy[g.z + d], dy[g.w + d]);
        }
        let at = rows * params.lse_stride + head;
        let see = seen_by(row, t, range.y);
        let p = exp(s - vec4<f32>(lse[at.x], lse[at.y], lse[at.z], lse[at.w]));
        let ds = p * (e - vec4<f32>(delta[at.x], delta[at.y], delta[at.z], delta[at.w])) * params.scale;
        for (var d = 0u; d < params.lanes; d++) {
          var dk = L(0.0);
          var dv = L(0.0);
          if (started) {
            dk = dqkv[k_at + d];
            dv = dqkv[v_at + d];
          }
          dqkv[k_at + d] = add4(dk, ds, see, qkv[q.x + d], qkv[q.y + d], qkv[q.z + d], qkv[q.w + d]);
          dqkv[v_at + d] = add4(dv, p, see, dy[g.x + d], dy[g.y + d], dy[g.z + d], dy[g.w + d]);
        }
        started = true;
      }
    }
  }
  pad_row(tile, row);
}
