// Attention's gradient for the queries, as attention_query_gradient.wgsl says, with keys in tiles of 16 that a subgroup
// shares (lib/attention_share). No invocation returns before the walk's end.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_path
//#include attention_walk
//#include attention_query_gradient
//#include attention_share

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) member: u32) {
  let index = workgroup_index(workgroup, grid);
  if (index >= params.tiles * params.heads) { return; }
  let tile = tile_of(index);
  // Invocations without a row follow the last one, see nothing and write nothing.
  let row = tile.row + min(lane, tile.count - 1u);
  let q_at = row * params.qkv_stride + tile.query;
  let g_at = row * params.y_stride + tile.query;
  let denominator = lse[row * params.lse_stride + tile.head];
  let mean = delta[row * params.lse_stride + tile.head];
  for (var n = tile.first_segment; n < tile.end_segment; n++) {
    let walk = walk_of(tile, n, 16u);
    let seen = select(0u, seen_in(walk, row), lane < tile.count);
    for (var t = walk.first; t <= walk.path.last; t += 16u) {
      let low = row_at(walk.path, t + member % 8u);
      let high = row_at(walk.path, t + 8u + member % 8u);
      var s0 = vec4<f32>(0.0);
      var s1 = vec4<f32>(0.0);
      var s2 = vec4<f32>(0.0);
      var s3 = vec4<f32>(0.0);
      var e0 = vec4<f32>(0.0);
      var e1 = vec4<f32>(0.0);
      var e2 = vec4<f32>(0.0);
      var e3 = vec4<f32>(0.0);
      for (var d = 0u; d < params.lanes; d++) {
        let q = qkv[q_at + d] * params.scale;
        let k = share(qkv[low + tile.key + d], qkv[high + tile.key + d]);
        s0 += scores4(q, k[0], k[1], k[2], k[3]);
        s1 += scores4(q, k[4], k[5], k[6], k[7]);
        s2 += scores4(q, k[8], k[9], k[10], k[11]);
        s3 += scores4(q, k[12], k[13], k[14], k[15]);
        let g = dy[g_at + d];
        let v = share(qkv[low + tile.value + d], qkv[high + tile.value + d]);
        e0 += scores4(g, v[0], v[1], v[2], v[3]);
        e1 += scores4(g, v[4], v[5], v[6], v[7]);
        e2 += scores4(g, v[8], v[9], v[10], v[11]);
        e3 += scores4(g, v[12], v[13], v[14], v[15]);
      }
      let see0 = sees(seen, t);
      let see1 = sees(seen, t + 4u);
      let see2 = sees(seen, t + 8u);
      let see3 = sees(seen, t + 12u);
      let ds0 = exp(s0 - denominator) * (e0 - mean) * params.scale;
      let ds1 = exp(s1 - denominator) * (e1 - mean) * params.scale;
      let ds2 = exp(s2 - denominator) * (e2 - mean) * params.scale;
      let ds3 = exp(s3 - denominator) * (e3 - mean) * params.scale;
      for (var d = 0u; d < params.lanes; d++) {
        let k = share(qkv[low + tile.key + d], qkv[high + tile.key + d]);
        var acc = L(0.0);
        if (t > 0u) { acc = dqkv[q_at + d]; }
        acc = add4(acc, ds0, see0, k[0], k[1], k[2], k[3]);
        acc = add4(acc, ds1, see1, k[4], k[5], k[6], k[7]);
        acc = add4(acc, ds2, see2, k[8], k[9], k[10], k[11]);
        acc = add4(acc, ds3, see3, k[12], k[13], k[14], k[15]);
        if (t < seen) { dqkv[q_at + d] = acc; }
      }
    }
  }
}
