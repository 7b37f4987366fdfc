// Causal grouped-query attention over a packed forest, as attention.wgsl says, with keys in tiles of 16 that a subgroup
// shares (lib/attention_share). That needs an eighth of the loads, each of which costs a CPU adapter as much as several
// multiplications, and broadcasts are free there. No invocation returns before the walk's end.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_path
//#include attention_walk
//#include attention_forward
//#include attention_share

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) member: u32) {
  let index = workgroup_index(workgroup, grid);
  if (index >= params.tiles * params.heads) { return; }
  let tile = tile_of(index);
  // Invocations without a row follow the last one, see nothing and write nothing.
  let row = tile.row + min(lane, tile.count - 1u);
  let q_at = row * params.qkv_stride + tile.query;
  let out = row * params.y_stride + tile.query;
  var top = LOWEST;
  var total = 0.0;
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
      for (var d = 0u; d < params.lanes; d++) {
        let q = qkv[q_at + d] * params.scale;
        let k = share(qkv[low + tile.key + d], qkv[high + tile.key + d]);
        s0 += scores4(q, k[0], k[1], k[2], k[3]);
        s1 += scores4(q, k[4], k[5], k[6], k[7]);
        s2 += scores4(q, k[8], k[9], k[10], k[11]);
        s3 += scores4(q, k[12], k[13], k[14], k[15]);
      }
      let see0 = sees(seen, t);
      let see1 = sees(seen, t + 4u);
      let see2 = sees(seen, t + 8u);
      let see3 = sees(seen, t + 12u);
      let none = vec4<f32>(LOWEST);
      let highest = max(max(select(none, s0, see0), select(none, s1, see1)), max(select(none, s2, see2), select(none, s3, see3)));
      let next = max(top, max4(highest));
      let kept = rescale(top, next);
      let p0 = select(vec4<f32>(0.0), exp(s0 - next), see0);
      let p1 = select(vec4<f32>(0.0), exp(s1 - next), see1);
      let p2 = select(vec4<f32>(0.0), exp(s2 - next), see2);
      let p3 = select(vec4<f32>(0.0), exp(s3 - next), see3);
      total = fma(total, kept, sum4((p0 + p1) + (p2 + p3)));
      top = next;
      for (var d = 0u; d < params.lanes; d++) {
        let v = share(qkv[low + tile.value + d], qkv[high + tile.value + d]);
        var acc = L(0.0);
        if (t > 0u) { acc = y[out + d] * kept; }
        acc = add4(acc, p0, see0, v[0], v[1], v[2], v[3]);
        acc = add4(acc, p1, see1, v[4], v[5], v[6], v[7]);
        acc = add4(acc, p2, see2, v[8], v[9], v[10], v[11]);
        acc = add4(acc, p3, see3, v[12], v[13], v[14], v[15]);
        if (t < seen) { y[out + d] = acc; }
      }
    }
  }
  if (lane < tile.count) { finish(tile, row, top, total); }
}
